using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>A connection to judge.</summary>
/// <param name="Port">The port that answers, after DNAT.</param>
public sealed record Connection(Party Src, Party Dst, byte Protocol, ushort Port)
{
    /// <summary>Between a pod and the node under it: Kubernetes always allows that.</summary>
    public bool OwnNode { get; init; }

    /// <summary>What the client dialled, before DNAT; null where that is the same.</summary>
    public Dialled? Dialled { get; init; }

    public override string ToString() => $"{Src.Id} -> {Dst.Id} {IpProtocol.NameOf(Protocol).ToUpperInvariant()} {Port}";
}

/// <summary>The address and port of a service that stand in the client's packets.</summary>
public sealed record Dialled(NetAddress Address, ushort Port);
