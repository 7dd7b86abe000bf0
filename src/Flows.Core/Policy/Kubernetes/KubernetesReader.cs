namespace Flows.Core.Policy;

/// <summary>Reads sets that may hold NetworkPolicies only, such as our own suggestions; <see cref="PolicyReader"/> reads all kinds.</summary>
public static class KubernetesReader
{
    /// <summary>The set in these files.</summary>
    /// <exception cref="FlowsException">Something is no NetworkPolicy, is invalid, or stands there twice.</exception>
    public static PolicySet Read(IEnumerable<PolicyDocument> files)
    {
        var set = PolicyReader.Read(files);
        return set.Policies.FirstOrDefault(policy => policy.Kind != NetworkPolicyReader.Kind) is { } other
            ? throw new PolicyFaultException(other.Origin, 1, "kind", $"is {other.Kind}; only NetworkPolicy is meant here")
            : set;
    }
}
