namespace Flows.Core.Policy;

/// <summary>Reads the selectors and peers of a NetworkPolicy.</summary>
internal static class KubernetesPeers
{
    /// <summary>A peer of a rule; one without a namespaceSelector means the policy's own namespace.</summary>
    public static Segment Peer(YamlField item, string inNamespace)
    {
        var fields = item.Fields("podSelector", "namespaceSelector", "ipBlock");
        var pods = fields.GetValueOrDefault("podSelector");
        var namespaces = fields.GetValueOrDefault("namespaceSelector");
        if (fields.TryGetValue("ipBlock", out var block))
        {
            return pods is null && namespaces is null ? Block(block) : throw block.Fault("cannot stand beside a selector");
        }

        if (pods is null && namespaces is null)
        {
            throw item.Fault("must have a podSelector, a namespaceSelector or an ipBlock");
        }

        var ofPods = pods is null ? LabelSelector.Everything : Selector(pods);
        return namespaces is null ? PodSegment.In(inNamespace, ofPods) : new PodSegment(Selector(namespaces), ofPods);
    }

    public static LabelSelector Selector(YamlField field)
    {
        var fields = field.Fields("matchLabels", "matchExpressions");
        var labels = (fields.GetValueOrDefault("matchLabels")?.Entries() ?? new Dictionary<string, YamlField>())
            .Select(label => new LabelRequirement(LabelKey(label.Key, label.Value), LabelOperator.In, [LabelValue(label.Value)]));
        return new LabelSelector(labels.Concat((fields.GetValueOrDefault("matchExpressions")?.Items() ?? []).Select(item => Expression(item, KubernetesGrammar.IsLabelKey))));
    }

    /// <param name="isKey">Which keys are legal.</param>
    public static LabelRequirement Expression(YamlField item, Func<string, bool> isKey)
    {
        var fields = item.Fields("key", "operator", "values");
        var keyed = fields.TryGetValue("key", out var given) ? given : throw item.Fault("has no key");
        var key = isKey(keyed.Text()) ? keyed.Text() : throw keyed.Fault($"has '{keyed.Text()}', which is not a label's key");
        var text = fields.TryGetValue("operator", out var field) ? field.Text() : throw item.Fault("has no operator");
        LabelOperator meant = text switch
        {
            "In" => LabelOperator.In,
            "NotIn" => LabelOperator.NotIn,
            "Exists" => LabelOperator.Exists,
            "DoesNotExist" => LabelOperator.DoesNotExist,
            _ => throw field.Fault($"'{text}' is not In, NotIn, Exists or DoesNotExist"),
        };
        var values = (fields.GetValueOrDefault("values")?.Items() ?? []).Select(LabelValue).ToList();
        return meant is LabelOperator.In or LabelOperator.NotIn == values.Count > 0
            ? new LabelRequirement(key, meant, values)
            : throw item.Fault(values.Count == 0 ? $"needs values for {text}" : $"cannot have values for {text}");
    }

    public static string LabelKey(string key, YamlField at) => KubernetesGrammar.IsLabelKey(key) ? key : throw at.Fault($"has '{key}', which is not a label's key");

    public static string LabelValue(YamlField field) => KubernetesGrammar.IsLabelValue(field.Text()) ? field.Text() : throw field.Fault($"'{field.Text()}' is not a label's value");

    private static RangeSegment Block(YamlField block)
    {
        var fields = block.Fields("cidr", "except");
        var range = fields.TryGetValue("cidr", out var cidr) ? Range(cidr) : throw block.Fault("has no cidr");
        var except = (fields.GetValueOrDefault("except")?.Items() ?? []).Select(item => (Item: item, Range: Range(item))).ToList();
        foreach (var (item, outside) in except.Where(one => one.Range == range || !range.Contains(one.Range)))
        {
            throw item.Fault($"{outside} does not lie strictly within {range}");
        }

        return new RangeSegment(range, [.. except.Select(one => one.Range).Distinct().Order()]);
    }

    public static NetBlock Range(YamlField field) =>
        NetBlock.TryParse(field.Text(), out var range) ? range : throw field.Fault($"'{field.Text()}' is not an address range such as 10.0.0.0/8");
}
