namespace Flows.Capture.Owners;

/// <summary>How this machine keeps its control groups.</summary>
internal enum CgroupLayout : byte
{
    /// <summary>None is mounted where we look.</summary>
    None,

    /// <summary>Version 1 only: the kernel gives every socket the id of the root of version 2, which tells nothing.</summary>
    V1,

    /// <summary>Both: ids are those of version 2, where a runtime may have made no group of its own.</summary>
    Hybrid,

    /// <summary>Version 2 only.</summary>
    Unified,
}

/// <summary>Where the control groups are mounted, from /proc/self/mountinfo (proc_pid_mountinfo(5)).</summary>
/// <param name="Layout">Versions in use.</param>
/// <param name="Unified">Mount point of version 2 that shows most; empty for none.</param>
internal sealed record CgroupMounts(CgroupLayout Layout, string Unified)
{
    /// <summary>The inode, and so the id, of the root of version 2: cgroup_id of the root is 1.</summary>
    public const ulong RootId = 1;

    /// <summary>False in a cgroup namespace, or where only a part is mounted: the groups of others then have no path.</summary>
    public bool ShowsRoot => Unified.Length != 0 && OwnerNative.InodeOf(Unified) == RootId;

    public static CgroupMounts Read()
    {
        try
        {
            return Parse(File.ReadLines("/proc/self/mountinfo"), OwnerNative.InodeOf);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new(CgroupLayout.None, "");
        }
    }

    /// <summary>Of several mounts of version 2 (a pod sees its own and the host's) the one that is the real root counts, else the first.</summary>
    public static CgroupMounts Parse(IEnumerable<string> lines, Func<string, ulong> inodeOf)
    {
        var v1 = false;
        var unified = new List<string>();
        foreach (var line in lines)
        {
            // "36 35 98:0 /root /mount/point options optional… - type source super-options"; blanks in names are written \040.
            var halves = line.Split(" - ", 2);
            var fields = halves[0].Split(' ');
            if (halves.Length < 2 || fields.Length < 5)
            {
                continue;
            }

            v1 |= halves[1].StartsWith("cgroup ", StringComparison.Ordinal);
            if (halves[1].StartsWith("cgroup2 ", StringComparison.Ordinal))
            {
                unified.Add(fields[4].Replace("\\040", " ", StringComparison.Ordinal));
            }
        }

        var best = unified.Find(mount => inodeOf(mount) == RootId) ?? unified.FirstOrDefault() ?? "";
        var layout = (v1, best.Length != 0) switch
        {
            (true, true) => CgroupLayout.Hybrid,
            (true, false) => CgroupLayout.V1,
            (false, true) => CgroupLayout.Unified,
            _ => CgroupLayout.None,
        };
        return new(layout, best);
    }
}
