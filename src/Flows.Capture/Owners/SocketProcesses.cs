namespace Flows.Capture.Owners;

/// <summary>A kind of process: those of the same executable, user and cgroup are one owner.</summary>
internal sealed record ProcessKind(string Executable, uint Uid, string Cgroup, int Pid);

/// <summary>
/// Which process holds which socket: a picture of /proc/*/fd, taken when a lasting socket shows up that is not in it, and at most so often.
/// One thread takes the picture; any may ask.
/// </summary>
internal sealed class SocketProcesses(OwnerTable owners, TimeProvider time)
{
    // Beyond it the picture is cut: those that are missing keep the owner that their cgroup and user give.
    private const int SocketsMax = 262_144;
    private const int KindsMax = 16_384;

    // A picture takes some 5 µs a descriptor. Resting 50 times as long bounds it to 2 % of a core.
    private const int RestFactor = 50;
    private static readonly TimeSpan RestMin = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(string Executable, uint Uid, string Cgroup), int> numbers = [];
    private readonly List<ProcessKind> kinds = [];
    private readonly List<uint> inodes = [];
    private Dictionary<uint, int> now = [];
    private Dictionary<uint, int> before = [];
    private int managerSlot;
    private bool wanted = true;
    private TimeSpan rest;
    private long takenAt;

    /// <summary>Processes whose descriptors we were not allowed to see in the last picture.</summary>
    public int Hidden { get; private set; }

    /// <summary>The slot of a socket's owner. A lasting one that is missing asks for another picture.</summary>
    public bool TryGet(uint inode, bool isLasting, out int slot)
    {
        // A socket that was closed between two pictures is still in the one before: rows are written after the connection ended.
        if (Volatile.Read(ref now).TryGetValue(inode, out slot) || Volatile.Read(ref before).TryGetValue(inode, out slot))
        {
            return true;
        }

        if (isLasting)
        {
            Volatile.Write(ref wanted, true);
        }

        return false;
    }

    /// <summary>The kind of process behind a number of an owner's key.</summary>
    public ProcessKind KindOf(int number) => kinds[number - 1];

    /// <summary>Takes a picture if one is wanted and the last is old enough. True where it did.</summary>
    public bool Refresh()
    {
        if (!Volatile.Read(ref wanted) || (takenAt != 0 && time.GetElapsedTime(takenAt) < rest))
        {
            return false;
        }

        Volatile.Write(ref wanted, false);
        var begun = time.GetTimestamp();
        var taken = new Dictionary<uint, int>(now.Count + 64);
        Hidden = 0;
        foreach (var pid in ProcFiles.Processes())
        {
            Take(pid, taken);
        }

        Volatile.Write(ref before, now);
        Volatile.Write(ref now, taken);
        takenAt = time.GetTimestamp();
        rest = time.GetElapsedTime(begun, takenAt) * RestFactor;
        rest = rest < RestMin ? RestMin : rest;
        return true;
    }

    private void Take(int pid, Dictionary<uint, int> taken)
    {
        inodes.Clear();
        if (!ProcFiles.AddSockets(pid, inodes))
        {
            Hidden++;
        }

        if (inodes.Count == 0)
        {
            return;
        }

        var slot = SlotOf(pid);
        foreach (var inode in inodes)
        {
            // systemd holds the listeners of the services that it activates; whoever else has one is the service.
            var isFree = !taken.TryGetValue(inode, out var holder) || holder == managerSlot;
            if (slot != 0 && isFree && taken.Count < SocketsMax)
            {
                taken[inode] = slot;
            }
        }
    }

    private int SlotOf(int pid)
    {
        if (ProcFiles.UserOf(pid) is not { } uid)
        {
            return 0;
        }

        var key = (ProcFiles.Executable(pid), uid, ProcFiles.CgroupOf(pid));
        if (!numbers.TryGetValue(key, out var number))
        {
            if (kinds.Count >= KindsMax)
            {
                return 0;
            }

            kinds.Add(new ProcessKind(key.Item1, uid, key.Item3, pid));
            number = kinds.Count;
            numbers.Add(key, number);
        }

        var slot = owners.SlotOf(new OwnerKey(0, uid, number));
        managerSlot = pid == 1 ? slot : managerSlot;
        return slot;
    }
}
