using System.Globalization;
using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Inventory.Host;

/// <summary>The files in which a Linux machine says what it is. Nothing in them is required, and all of it is text to be bounded.</summary>
/// <param name="root">Where the machine's own <c>/etc</c> and <c>/usr/lib</c> are: <c>/</c>, or where a container has them mounted.</param>
/// <param name="kernelRoot">Where <c>/proc</c> and <c>/sys</c> are; the kernel is the same in a container.</param>
public sealed class HostFiles(string root, string kernelRoot = "/")
{
    private const int BytesMax = 64 << 10;
    private const int TextMax = 253;

    /// <summary>What hypervisors write where a vendor writes its name.</summary>
    private static readonly string[] Hypervisors = ["QEMU", "KVM", "VMware", "VirtualBox", "Xen", "Virtual Machine", "Google Compute Engine", "OpenStack", "Parallels"];

    /// <summary>The folder of the administrator's labels.</summary>
    public string Labels => Path.Combine(root, "etc/flows");

    /// <summary>Hash of the machine id, 16 hexadecimal digits.</summary>
    public string Machine => StableId.Of("machine-id", Line(root, "etc/machine-id")).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary><c>vm</c> where the processor or the firmware tells of a hypervisor, else <c>host</c>.</summary>
    public string Kind => Text(kernelRoot, "proc/cpuinfo").Split('\n').Any(line => line.StartsWith("flags", StringComparison.Ordinal) && line.Split(' ').Contains("hypervisor"))
        || Hypervisors.Any(name => Firmware("sys_vendor").Contains(name, StringComparison.Ordinal) || Firmware("product_name").Contains(name, StringComparison.Ordinal))
        ? "vm" : "host";

    /// <summary>Operating system, kernel and host name; what is not known is left out.</summary>
    public SortedDictionary<string, string> Facts()
    {
        var release = Text(root, "etc/os-release") is { Length: > 0 } text ? text : Text(root, "usr/lib/os-release");
        var facts = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["hostname"] = Line(kernelRoot, "proc/sys/kernel/hostname"),
            ["os"] = ReleaseValue(release, "ID"),
            ["os_version"] = ReleaseValue(release, "VERSION_ID"),
            ["os_name"] = ReleaseValue(release, "PRETTY_NAME"),
            ["kernel"] = Line(kernelRoot, "proc/sys/kernel/osrelease"),
#pragma warning disable CA1308 // As the kernel and package managers write it.
            ["arch"] = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
#pragma warning restore CA1308
            ["vendor"] = Firmware("sys_vendor"),
            ["product"] = Firmware("product_name"),
        };
        foreach (var empty in facts.Where(one => one.Value.Length == 0).Select(one => one.Key).ToArray())
        {
            facts.Remove(empty);
        }

        return facts;
    }

    /// <summary>A line of the firmware's description of the machine (DMI); empty where there is none.</summary>
    public string Firmware(string name) => Line(kernelRoot, $"sys/class/dmi/id/{name}");

    /// <summary>The content of a file, at most 64 KiB of it; empty where it cannot be read.</summary>
    internal static string Text(string folder, string path)
    {
        try
        {
            using var file = new FileStream(Path.Combine(folder, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            var bytes = new byte[BytesMax];
            return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, BytesMax, throwOnEndOfStream: false));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // None of them is on every machine.
            return "";
        }
    }

    private static string Line(string folder, string path) => Bounded(Text(folder, path).Split('\n')[0]);

    /// <summary>The value of a key in os-release(5): shell assignments, of which quotes and backslashes are all that occurs.</summary>
    private static string ReleaseValue(string release, string key)
    {
        var line = release.Split('\n').FirstOrDefault(one => one.StartsWith(key + "=", StringComparison.Ordinal));
        return line is null ? "" : Bounded(line[(key.Length + 1)..].Trim().Trim('"', '\'').Replace("\\", "", StringComparison.Ordinal));
    }

    private static string Bounded(string text)
    {
        text = text.Trim().Replace("\0", "", StringComparison.Ordinal).Replace("\u001f", "", StringComparison.Ordinal);
        return text.Length > TextMax ? text[..TextMax] : text;
    }
}
