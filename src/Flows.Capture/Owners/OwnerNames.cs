using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>Finds the names of owners, gives them their ids and reports each once. Belongs to one thread, for it reads directories.</summary>
internal sealed class OwnerNames(string node, string boot, OwnerTable owners, CgroupTree tree, SocketProcesses? processes, NodeNotes notes, TimeProvider time)
{
    // Reported owners that we remember; beyond it all are reported once more, which says nothing new.
    private const int ReportedMax = 65_536;

    private readonly HashSet<ulong> reported = [];
    private readonly List<int> later = [];

    /// <summary>Names those that wait; what must wait for another look at the cgroups does. True where some still wait.</summary>
    public bool Turn()
    {
        processes?.Refresh();
        while (owners.TryTakeUnnamed(out var slot, out var key))
        {
            if (Describe(in key) is { } fact)
            {
                owners.Name(slot, fact.OwnerId);
                Report(fact);
            }
            else
            {
                later.Add(slot);
            }
        }

        foreach (var slot in later)
        {
            owners.PutBack(slot);
        }

        var waits = later.Count > 0;
        later.Clear();
        return waits;
    }

    /// <summary>Makes the fact of an owner.</summary>
    /// <param name="path">The cgroup; null where it is not known.</param>
    /// <param name="uid">The user.</param>
    /// <param name="process">The process, where it may be seen.</param>
    internal OwnerFact Tell(string? path, uint uid, ProcessKind? process)
    {
        var place = CgroupPath.Parse(path ?? "/");
        var user = uid.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var (kind, name) = place.Kind.Length == 0 ? ("user", user) : (place.Kind, place.Name);

        // A pod, a container or a unit is one owner whoever runs in it. A user, a session or a bare cgroup is a crowd: there executable and user tell apart.
        var isCrowd = kind is "user" or "session" or "cgroup";
        var executable = process?.Executable ?? "";
        var id = StableId.Of("owner", node, boot, kind, name, place.ContainerId, isCrowd ? user : "", isCrowd ? executable : "");
        return new OwnerFact(id, kind, name, uid, path ?? "", place.Unit, place.ContainerId, place.PodUid, executable, process?.Pid, time.NowUs());
    }

    private OwnerFact? Describe(in OwnerKey key)
    {
        if (key.Process != 0)
        {
            var kind = processes!.KindOf(key.Process);
            return Tell(kind.Cgroup, key.Uid, kind);
        }

        var settled = true;
        var path = key.CgroupId == 0 ? null : tree.PathOf(key.CgroupId, out settled);
        return settled ? Tell(path, key.Uid, null) : null;
    }

    /// <summary>Reports an owner at first, and once more when its executable has become known.</summary>
    private void Report(OwnerFact fact)
    {
        if (reported.Count >= ReportedMax)
        {
            reported.Clear();
        }

        var isDetailed = fact.Executable.Length != 0;
        if (reported.Add(isDetailed ? ~fact.OwnerId : fact.OwnerId))
        {
            reported.Add(fact.OwnerId);
            notes.Note(fact);
        }
    }
}
