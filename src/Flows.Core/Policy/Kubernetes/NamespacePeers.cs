namespace Flows.Core.Policy;

/// <summary>
/// Reads whose namespaces a peer of policy.networking.k8s.io/v1alpha1 means: a label selector, or as releases 0.1.0 and 0.1.1 of that API had it one of
/// <c>namespaceSelector</c>, <c>sameLabels</c> and <c>notSameLabels</c>. The last two are relative to the namespaces of the subject; what they mean is known
/// from the policy alone where the subject's own selector fixes the values of those labels.
/// </summary>
internal static class NamespacePeers
{
    private static readonly string[] First = ["namespaceSelector", "sameLabels", "notSameLabels"];

    /// <summary>The namespaces, as alternatives; none is no namespace.</summary>
    /// <param name="subject">The selector of the subject's namespaces.</param>
    public static IReadOnlyList<LabelSelector> Read(YamlField field, LabelSelector subject)
    {
        if (!field.Entries().Keys.Any(key => First.Contains(key, StringComparer.Ordinal)))
        {
            return [KubernetesPeers.Selector(field)];
        }

        var (kind, given) = field.Fields(First) is { Count: 1 } fields ? fields.Single() : throw field.Fault($"must have exactly one of {string.Join(", ", First)}");
        return kind switch
        {
            "namespaceSelector" => [KubernetesPeers.Selector(given)],
            "sameLabels" => Same(Fixed(given, subject)),
            _ => Different(Fixed(given, subject)),
        };
    }

    /// <summary>The labels with the values that every namespace of the subject has.</summary>
    private static IReadOnlyList<(string Key, string Value)> Fixed(YamlField keys, LabelSelector subject) => keys.Each(item =>
    {
        var key = KubernetesPeers.LabelKey(item.Text(), item);
        return subject.Requirements.FirstOrDefault(one => one.Key == key && one is { Operator: LabelOperator.In, Values.Count: 1 }) is { } value
            ? (key, value.Values[0])
            : throw item.Fault($"is relative to the subject's namespaces, whose selector does not fix '{key}'; write one policy for each value of it");
    });

    /// <summary>Every label as the subject's; no label at all selects nothing.</summary>
    private static List<LabelSelector> Same(IReadOnlyList<(string Key, string Value)> labels) =>
        labels.Count == 0 ? [] : [new LabelSelector(labels.Select(label => new LabelRequirement(label.Key, LabelOperator.In, [label.Value])))];

    /// <summary>Every label is there, and one or another is not as the subject's.</summary>
    private static List<LabelSelector> Different(IReadOnlyList<(string Key, string Value)> labels)
    {
        var present = labels.Select(label => new LabelRequirement(label.Key, LabelOperator.Exists, [])).ToList();
        return [.. labels.Select(label => new LabelSelector(present.Append(new LabelRequirement(label.Key, LabelOperator.NotIn, [label.Value]))))];
    }
}
