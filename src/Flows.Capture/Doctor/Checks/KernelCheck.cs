using System.Globalization;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Which of the kernel's newer abilities are there, by its version: distributions backport, so other checks try what they can.</summary>
internal sealed class KernelCheck() : Check("kernel", "kernel")
{
    private static readonly Version CgroupIds = new(5, 9);
    private static readonly Version EventTimes = new(6, 14);

    public override Finding Look(NodeView node)
    {
        var release = node.Files.Text("proc/sys/kernel/osrelease");
        if (release is null || Parse(release) is not { } version)
        {
            return Unknown("/proc/sys/kernel/osrelease cannot be read");
        }

        return version < CgroupIds
            ? Warn($"Linux {release}", "not seen: which unit or container owns a connection, as sockets come without a cgroup id before 5.9", "use a kernel of 5.10 or later")
            : version < EventTimes
            ? Ok($"Linux {release}", "conntrack events carry their own time from 6.14 on: here starts are those of nf_conntrack_timestamp, other times those of delivery")
            : Ok($"Linux {release}: conntrack events carry their own time, sockets their cgroup");
    }

    private static Version? Parse(string release)
    {
        var parts = release.Split('.', '-', '+');
        return parts.Length >= 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new Version(major, minor)
            : null;
    }
}
