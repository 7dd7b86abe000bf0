using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Flows.KernelCluster;

/// <summary>Network namespaces by name, as <c>ip netns</c> keeps them (network_namespaces(7)). All of it needs root.</summary>
public static partial class Netns
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>Runs a program to its end and gives what it printed.</summary>
    /// <param name="input">What it reads from its standard input.</param>
    /// <exception cref="InvalidOperationException">It did not end with 0; the message holds what it complained of.</exception>
    public static string Tool(string name, string arguments, string? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{name} {arguments}: {error}");
    }

    /// <summary>Deletes a namespace; one that is not there is no fault.</summary>
    public static void Delete(string space)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", $"netns del {space}") { RedirectStandardError = true })!;
        process.WaitForExit();
    }

    /// <summary>Runs <paramref name="act"/> on a thread of its own in a namespace; sockets opened there stay there.</summary>
    public static T In<T>(string space, Func<T> act) => OwnThread.Run(() => Enter(space), act);

    private static void Enter(string space)
    {
        using var file = File.OpenHandle($"/run/netns/{space}");
        if (SetNs(file, CloneNewNet) != 0)
        {
            throw new InvalidOperationException($"setns into {space} failed with errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(SafeFileHandle fd, int type);
}
