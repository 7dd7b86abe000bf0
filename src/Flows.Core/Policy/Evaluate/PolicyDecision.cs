namespace Flows.Core.Policy;

/// <summary>Names one rule of a set.</summary>
/// <param name="Policy"><c>namespace/name</c>, or the name of a policy of the whole fleet.</param>
/// <param name="Rule">Index in the policy's rules of that direction.</param>
public sealed record RuleReference(string Policy, int Rule);

/// <summary>What one end of the connection says.</summary>
/// <param name="By">The rules that decided, for or against; empty where none did: open by default, or closed by what isolates.</param>
/// <param name="IsolatedBy">The policies that close this direction of this end to what no rule allows; empty: it is open by default.</param>
public sealed record SideDecision(bool Allowed, IReadOnlyList<RuleReference> By, IReadOnlyList<string> IsolatedBy);

/// <summary>What the set says: a connection needs both ends' consent.</summary>
public sealed record PolicyDecision(SideDecision Egress, SideDecision Ingress)
{
    public bool Allowed => Egress.Allowed && Ingress.Allowed;
}
