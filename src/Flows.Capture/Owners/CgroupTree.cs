namespace Flows.Capture.Owners;

/// <summary>
/// Paths of cgroups by id. On version 2 the id is the inode number of the group's directory; the kernel offers no way back without
/// CAP_DAC_READ_SEARCH, so the tree is read when an unknown id shows up, and at most so often. Belongs to one thread.
/// </summary>
/// <param name="root">Where version 2 is mounted; empty for nowhere.</param>
/// <param name="inodeOf">Gives a directory's inode number.</param>
/// <param name="time">Limits the rate.</param>
internal sealed class CgroupTree(string root, Func<string, ulong> inodeOf, TimeProvider time)
{
    // The kernel's own default is no limit; a node of 250 pods has some thousand groups. 65,536 paths of 150 bytes are 10 MB.
    private const int GroupsMax = 65_536;
    private const int DepthMax = 32;

    // A look takes some 20 µs a group. New groups are looked for at once while they come in ones and twos, and never with more than 2 % of a core.
    private readonly CpuBudget budget = new(0.02, TimeSpan.FromMilliseconds(100), time);

    private Dictionary<ulong, string> paths = [];
    private Dictionary<ulong, string> earlier = [];

    /// <summary>Groups known now.</summary>
    public int Count => paths.Count;

    /// <summary>The path from the root of the hierarchy, <c>/</c> for the root itself; null where unknown, also after a new look.</summary>
    /// <param name="id">The kernel's cgroup id.</param>
    /// <param name="settled">False where the tree was not read since the question came up: ask again later.</param>
    public string? PathOf(ulong id, out bool settled)
    {
        settled = true;
        if (id == CgroupMounts.RootId)
        {
            return "/";
        }

        if (Known(id) is { } path || root.Length == 0)
        {
            return Known(id);
        }

        budget.Spend(TimeSpan.Zero);
        if (budget.IsExhausted)
        {
            settled = false;
            return null;
        }

        Read();
        return Known(id);
    }

    /// <summary>A group that has gone since keeps its name for one more turn: rows are written after the connection ended.</summary>
    private string? Known(ulong id) => paths.TryGetValue(id, out var path) || earlier.TryGetValue(id, out path) ? path : null;

    private void Read()
    {
        var begun = time.GetTimestamp();
        earlier = paths;
        paths = new Dictionary<ulong, string>(earlier.Count + 64);
        var open = new Stack<(string Path, int Depth)>();
        open.Push(("", 0));
        while (open.TryPop(out var group) && paths.Count < GroupsMax)
        {
            paths[inodeOf(root + group.Path)] = group.Path.Length == 0 ? "/" : group.Path;
            foreach (var name in group.Depth < DepthMax ? Children(root + group.Path) : [])
            {
                open.Push(($"{group.Path}/{name}", group.Depth + 1));
            }
        }

        // 0 stands for a group that vanished under our hands.
        paths.Remove(0);
        budget.Spend(time.GetElapsedTime(begun));
    }

    private static string[] Children(string directory)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(directory).Select(path => Path.GetFileName(path))];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
