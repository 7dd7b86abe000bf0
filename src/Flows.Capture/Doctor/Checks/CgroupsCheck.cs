namespace Flows.Capture.Doctor.Checks;

/// <summary>A cgroup id is worth as much as the hierarchy that names it: only version 2 has ids of sockets.</summary>
internal sealed class CgroupsCheck() : Check("cgroups", "owners")
{
    // PROC_CGROUP_INIT_INO of linux/proc_fs.h.
    private const string First = "cgroup:[4026531835]";

    private const string Hides = "not seen: which unit or container owns a connection; users are known";
    private const string Unified = "systemd.unified_cgroup_hierarchy=1 on the kernel command line";

    public override Finding Look(NodeView node)
    {
        var mounts = node.Files.Lines("proc/self/mounts").Select(line => line.Split(' ')).Where(fields => fields.Length > 2).ToList();
        var second = mounts.FirstOrDefault(fields => fields[2] == "cgroup2")?[1];
        var isMixed = mounts.Any(fields => fields[2] == "cgroup");
        return second is null && !isMixed ? Unknown("no cgroup file system is mounted here", Hides, "mount the node's /sys/fs/cgroup into the container, read-only")
            : second is null ? Warn("cgroup version 1 only", Hides, Unified)
            : isMixed ? Warn($"cgroup versions 1 and 2 side by side, version 2 at {second}", $"{Hides}, unless services are in the version 2 hierarchy as well", Unified)
            : node.Files.Link("proc/self/ns/cgroup") is { } link && link != First
                ? Warn("a cgroup namespace of its own: only cgroups below it have names", Hides, "mount the node's /sys/fs/cgroup into the container, read-only")
            : Ok($"version 2 at {second}");
    }
}
