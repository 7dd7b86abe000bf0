namespace Flows.Core.Policy;

/// <summary>
/// Names under which the policies of a set can stand side by side as objects of one kind. Sets are read from objects of several kinds, which may share a
/// name, and from objects that hold several policies.
/// </summary>
internal static class DistinctNames
{
    /// <summary>The same policies in the same order; only names that are illegal or taken are others.</summary>
    public static PolicySet In(PolicySet set)
    {
        HashSet<string> taken = new(StringComparer.Ordinal);
        return new PolicySet([.. set.Policies.Select(policy =>
        {
            var legal = KubernetesGrammar.IsDnsSubdomain(policy.Name) ? policy : policy with { Name = KubernetesGrammar.NameOf(policy.Name, "") };
            if (!taken.Add(legal.Id))
            {
                legal = legal with { Name = KubernetesGrammar.NameOf(policy.Name, $"{policy.Kind} {policy.Tier}") };
                _ = taken.Add(legal.Id);
            }

            return legal;
        })]);
    }
}
