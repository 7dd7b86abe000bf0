using Flows.Core.Identity;
using Flows.Core.Labels;

namespace Flows.Core.Policy;

/// <summary>A group of pods as a person names it: a namespace, a workload of it, or labels that all of its pods carry.</summary>
public sealed record SegmentFilter
{
    private SegmentFilter(string text) => Text = text;

    /// <summary>As it was given.</summary>
    public string Text { get; }

    /// <summary>Empty where labels are asked for.</summary>
    public string Namespace { get; private init; } = "";

    /// <summary>Empty where the whole namespace is meant, or labels.</summary>
    public string Workload { get; private init; } = "";

    /// <summary>All of them must hold: business labels first, the pod's own where there is no such key.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; private init; } = [];

    public bool IsNamespace => Namespace.Length > 0 && Workload.Length == 0;

    /// <summary>Reads <c>shop</c>, <c>shop/web</c> or <c>app=shop,env=prod</c>.</summary>
    /// <exception cref="FlowsException">It is none of these.</exception>
    public static SegmentFilter Parse(string text)
    {
        if (text.Contains('=', StringComparison.Ordinal))
        {
            var labels = text.Split(',').Select(label => label.Split('=', 2)).ToList();
            return labels.TrueForAll(label => label.Length == 2 && label[0].Length > 0)
                ? new SegmentFilter(text) { Labels = [.. labels.Select(label => KeyValuePair.Create(label[0], label[1])).OrderBy(label => label.Key, StringComparer.Ordinal)] }
                : throw Fault(text);
        }

        var parts = text.Split('/');
        return parts.Length <= 2 && KubernetesGrammar.IsDnsLabel(parts[0]) && parts[^1].Length > 0
            ? new SegmentFilter(text) { Namespace = parts[0], Workload = parts.Length == 2 ? parts[1] : "" }
            : throw Fault(text);
    }

    /// <summary>Whether the pod is in the group.</summary>
    public bool Holds(Entity pod, LabelRules rules)
    {
        if (Labels.Count == 0)
        {
            return pod.Namespace == Namespace && (Workload.Length == 0 || pod.Workload == Workload || (pod.Workload.Length == 0 && pod.Name == Workload));
        }

        var business = rules.Apply(pod);
        return Labels.All(wanted => (business[wanted.Key]?.Value ?? pod.Labels.GetValueOrDefault(wanted.Key)) == wanted.Value);
    }

    public override string ToString() => Text;

    private static FlowsException Fault(string text) =>
        new(ExitCode.Usage, $"'{text}' names no segment; write a namespace, NAMESPACE/WORKLOAD, or labels such as app=shop,env=prod.");
}
