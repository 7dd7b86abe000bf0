namespace Flows.Core.Policy;

/// <summary>What kind of thing stands at the other end of a rule.</summary>
internal enum PeerClass
{
    Pods,

    /// <summary>A node of the cluster, or what runs in its network. Whoever is masqueraded there looks like it too.</summary>
    Node,
    ApiServer,

    /// <summary>The cloud's metadata service.</summary>
    Metadata,

    /// <summary>A VM, a machine or a load balancer of the inventory.</summary>
    Machine,

    /// <summary>An outside name that clients asked DNS for.</summary>
    Named,

    /// <summary>A range of the catalogue.</summary>
    KnownRange,
    Unknown,
}

/// <summary>The other end as a rule names it.</summary>
internal sealed class Peer(Segment segment, PeerClass peerClass, string? widened = null, string? origin = null)
{
    public Segment Segment => segment;

    public PeerClass Class => peerClass;

    /// <summary>The segment's key, which costs a text each time that it is asked for.</summary>
    public string Key { get; } = segment.Key;

    /// <summary>Why the segment holds more than was seen; null where it does not.</summary>
    public string? Widened => widened;

    /// <summary>The entity that it is one of several addresses of: a node or a name; empty where that does not matter.</summary>
    public string Origin => origin ?? "";
}
