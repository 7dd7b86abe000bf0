using System.Text.Json.Serialization;

namespace Flows.Core.Facts;

/// <summary>How much of what it should see a source really sees.</summary>
public enum CoverageLevel : byte
{
    /// <summary>Everything that the aspect is about.</summary>
    Full = 0,

    /// <summary>Some of it; the detail says what is missing.</summary>
    Partial = 1,

    /// <summary>Nothing.</summary>
    None = 2,
}

/// <summary>
/// What a source on this node can see from <paramref name="AtUs"/> on, until the next fact about the same source and aspect. A flow that is absent
/// where coverage is not full may have happened all the same.
/// </summary>
/// <param name="Source">Which source: <c>conntrack</c>, <c>packets</c>, <c>owners</c>, <c>names</c>.</param>
/// <param name="Aspect">What of it, in snake_case, a small fixed set per source: <c>events</c>, <c>accounting</c>, <c>table</c>, an interface ...</param>
/// <param name="Level">How much it sees.</param>
/// <param name="Detail">One sentence for people: what is not seen, why, and how to mend it. Empty where all is well.</param>
/// <param name="AtUs">Since when, µs since the Unix epoch, UTC.</param>
public sealed record CoverageFact(string Source, string Aspect, CoverageLevel Level, string Detail, long AtUs);

/// <summary>
/// Who owns sockets on this node: the meaning of an <c>src_owner_id</c> or <c>dst_owner_id</c>. What is not known is empty, or null.
/// </summary>
/// <param name="OwnerId">Stable hash of node, boot, kind and the name that tells owners of that kind apart. Never 0.</param>
/// <param name="Kind">The most telling thing that is known: <c>pod</c>, <c>container</c>, <c>unit</c> (systemd), <c>session</c>, <c>cgroup</c>, <c>user</c>.</param>
/// <param name="Name">What a person calls it: unit name, container id, pod UID, cgroup path or user id.</param>
/// <param name="Uid">The socket's user id.</param>
/// <param name="Cgroup">Path of the cgroup, from the root of its hierarchy.</param>
/// <param name="Unit">systemd unit.</param>
/// <param name="ContainerId">Container id as the runtime gives it, without the runtime's name.</param>
/// <param name="PodUid">Kubernetes pod UID, with dashes.</param>
/// <param name="Executable">Path of the executable, where the collector may see it.</param>
/// <param name="Pid">Process id in the node's namespace, where the collector may see it.</param>
/// <param name="SeenAtUs">When it was first seen, µs since the Unix epoch, UTC.</param>
public sealed record OwnerFact(
    ulong OwnerId, string Kind, string Name, uint Uid, string Cgroup, string Unit, string ContainerId, string PodUid, string Executable, int? Pid, long SeenAtUs);

/// <summary>A name that a client was told an address for: the answer to a DNS question (RFC 1035), as it passed this node.</summary>
/// <param name="Client">Address of who asked, canonical text.</param>
/// <param name="Name">The name asked for, lower case, without the last dot; at most 253 characters (RFC 1035 2.3.4). It is a stranger's text.</param>
/// <param name="Address">Address in the answer, canonical text.</param>
/// <param name="TtlSeconds">The shortest TTL on the way from the name to the address, CNAMEs included.</param>
/// <param name="SeenAtUs">When the answer passed, µs since the Unix epoch, UTC.</param>
public sealed record NameFact(string Client, string Name, string Address, uint TtlSeconds, long SeenAtUs)
{
    /// <summary>How long beyond its TTL a client may still use an answer: what collectors count on when they report one again, and readers when they look for one.</summary>
    public const int GraceSeconds = 300;

    /// <summary>How much sooner than its answer a connection may seem to begin, since different clocks may have stamped the two.</summary>
    public const int SlackSeconds = 2;
}

/// <summary>What a collector learned beside its flows since its last report. Each fact is reported once.</summary>
public sealed record NodeFacts(IReadOnlyList<CoverageFact> Coverage, IReadOnlyList<OwnerFact> Owners, IReadOnlyList<NameFact> Names)
{
    public static NodeFacts None { get; } = new([], [], []);

    /// <summary>What the node said of itself, oldest first; null where nothing changed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<HostFact>? Hosts { get; init; }

    public bool IsEmpty => Coverage.Count == 0 && Owners.Count == 0 && Names.Count == 0 && (Hosts?.Count ?? 0) == 0;
}
