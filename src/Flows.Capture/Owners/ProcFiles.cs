using System.Globalization;

namespace Flows.Capture.Owners;

/// <summary>What /proc says of processes (proc(5)). A process that ends meanwhile, or that we may not look at, gives nothing.</summary>
internal static class ProcFiles
{
    private const string SocketPrefix = "socket:[";

    /// <summary>The processes of this /proc, in its own order.</summary>
    public static IEnumerable<int> Processes()
    {
        foreach (var path in Directory.Exists("/proc") ? Directory.EnumerateDirectories("/proc") : [])
        {
            if (int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    /// <summary>Adds the inodes of the sockets that a process holds; false where we may not see them.</summary>
    public static bool AddSockets(int pid, List<uint> inodes)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd"))
            {
                if (LinkOf(descriptor) is { } target && InodeOf(target) is { } inode)
                {
                    inodes.Add(inode);
                }
            }

            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Path of the executable; empty where it cannot be seen (another user's without CAP_SYS_PTRACE, a kernel thread).</summary>
    public static string Executable(int pid) => LinkOf($"/proc/{pid}/exe") ?? "";

    /// <summary>The effective user of a process.</summary>
    public static uint? UserOf(int pid)
    {
        // "Uid:	real	effective	saved	file system"
        var line = Lines($"/proc/{pid}/status").FirstOrDefault(text => text.StartsWith("Uid:", StringComparison.Ordinal));
        var fields = line?.Split('\t', StringSplitOptions.RemoveEmptyEntries);
        return fields?.Length > 2 && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var uid) ? uid : null;
    }

    /// <summary>The cgroup of a process that says most, of all its hierarchies.</summary>
    public static string CgroupOf(int pid) => MostTelling(Lines($"/proc/{pid}/cgroup"));

    /// <summary>
    /// Of lines such as <c>0::/system.slice/cron.service</c> or <c>4:memory:/docker/…</c> (cgroups(7)) the path that names a pod, else a container,
    /// else a unit or session, else any that is not the root. On version 1 the hierarchies differ, and a runtime may use only some.
    /// </summary>
    public static string MostTelling(IEnumerable<string> lines)
    {
        var (best, rank) = ("/", 0);
        foreach (var line in lines)
        {
            var fields = line.Split(':', 3);
            if (fields.Length < 3)
            {
                continue;
            }

            var found = CgroupPath.Parse(fields[2]).Kind switch
            {
                "pod" => 4,
                "container" => 3,
                "unit" or "session" => 2,
                "" => 0,
                _ => 1,
            };
            (best, rank) = found > rank ? (fields[2], found) : (best, rank);
        }

        return best;
    }

    /// <summary><c>socket:[4711]</c> gives 4711.</summary>
    public static uint? InodeOf(string link) =>
        link.StartsWith(SocketPrefix, StringComparison.Ordinal) && link[^1] == ']'
        && uint.TryParse(link.AsSpan(SocketPrefix.Length, link.Length - SocketPrefix.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var inode)
            ? inode
            : null;

    /// <summary>The set of effective capabilities of this process (capabilities(7)); all where it cannot be read.</summary>
    public static ulong EffectiveCapabilities()
    {
        var line = Lines("/proc/self/status").FirstOrDefault(text => text.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && ulong.TryParse(line.AsSpan("CapEff:".Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var set)
            ? set
            : ulong.MaxValue;
    }

    /// <summary>Names this boot of the machine: cgroups and processes of another one are others.</summary>
    public static string BootId() => Lines("/proc/sys/kernel/random/boot_id").FirstOrDefault() ?? "";

    /// <summary>Target of a symbolic link; null where there is none to be seen.</summary>
    public static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
