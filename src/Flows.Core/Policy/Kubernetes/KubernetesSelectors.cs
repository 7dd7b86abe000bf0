namespace Flows.Core.Policy;

using Map = QuotedYaml.Map;

/// <summary>Writes label selectors as every Kubernetes API has them.</summary>
internal static class KubernetesSelectors
{
    /// <param name="key">What a key is called there.</param>
    public static Map Write(LabelSelector selector, Func<string, string>? key = null)
    {
        // A key may be asked for twice only as an expression.
        bool Simple(LabelRequirement requirement) => requirement is { Operator: LabelOperator.In, Values.Count: 1 }
            && selector.Requirements.Count(other => other.Key == requirement.Key) == 1;
        string Called(LabelRequirement requirement) => key is null ? requirement.Key : key(requirement.Key);
        var labels = selector.Requirements.Where(Simple).Select(requirement => (Called(requirement), (object)requirement.Values[0])).ToList();
        var expressions = selector.Requirements.Where(requirement => !Simple(requirement)).Select(requirement => (object)Map.Of(
            ("key", Called(requirement)),
            ("operator", requirement.Operator.ToString()),
            ("values", requirement.Values.Count == 0 ? null : requirement.Values.Select(value => (object)value).ToList()))).ToList();
        return Map.Of(
            ("matchLabels", labels.Count == 0 ? null : new Map(labels, IsData: true)),
            ("matchExpressions", expressions.Count == 0 ? null : expressions));
    }
}
