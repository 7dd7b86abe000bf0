using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>One end of a connection, as policies see it.</summary>
public sealed record Party
{
    /// <summary>Tells one end from another: two parties with the same id are the same pod or machine.</summary>
    public required string Id { get; init; }

    /// <summary>A pod with a network of its own; all others are known by address only.</summary>
    public bool Selectable { get; init; }

    public string Namespace { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = Entity.NoLabels;

    /// <summary>The address, or the range where no more is known; null: no ipBlock can match.</summary>
    public NetBlock? Address { get; init; }

    /// <summary>The named ports that a pod's containers declare; empty where the inventory does not know them.</summary>
    public IReadOnlyList<NamedPort> Ports { get; init; } = [];
}

/// <summary>A container's port with a name.</summary>
public sealed record NamedPort(string Name, byte Protocol, ushort Port);

/// <summary>A connection to judge.</summary>
/// <param name="Port">The port that answers, after DNAT.</param>
public sealed record Connection(Party Src, Party Dst, byte Protocol, ushort Port)
{
    /// <summary>Between a pod and the node under it: Kubernetes always allows that.</summary>
    public bool OwnNode { get; init; }

    public override string ToString() => $"{Src.Id} -> {Dst.Id} {IpProtocol.NameOf(Protocol).ToUpperInvariant()} {Port}";
}

/// <summary>Names one rule of a set.</summary>
/// <param name="Policy"><c>namespace/name</c>.</param>
/// <param name="Rule">Index in the policy's rules of that direction.</param>
public sealed record RuleReference(string Policy, int Rule);

/// <summary>What one end of the connection says.</summary>
/// <param name="By">The rules that let it through; empty where none did, or where none was needed.</param>
/// <param name="IsolatedBy">The policies that select this end in this direction; empty: it is open by default.</param>
public sealed record SideDecision(bool Allowed, IReadOnlyList<RuleReference> By, IReadOnlyList<string> IsolatedBy);

/// <summary>What the set says: a connection needs both ends' consent.</summary>
public sealed record PolicyDecision(SideDecision Egress, SideDecision Ingress)
{
    public bool Allowed => Egress.Allowed && Ingress.Allowed;
}
