namespace Flows.Core.Policy;

/// <summary>The pods with these labels in the namespaces with those labels: a pod, a workload, or with no condition on pods a whole namespace.</summary>
/// <param name="Namespaces">On the labels of namespaces; each carries <see cref="NameLabel"/>.</param>
/// <param name="Pods">On the labels of pods.</param>
public sealed record PodSegment(LabelSelector Namespaces, LabelSelector Pods) : Segment
{
    /// <summary>The label that every namespace carries, with its name as the value.</summary>
    public const string NameLabel = "kubernetes.io/metadata.name";

    // Asked for at each look-up of a rule.
    private string? key;

    // A copy may be given other labels.
    private PodSegment(PodSegment other) : base(other) => (Namespaces, Pods) = (other.Namespaces, other.Pods);

    /// <summary>Every pod of every namespace.</summary>
    public static PodSegment All { get; } = new(LabelSelector.Everything, LabelSelector.Everything);

    public override string Key => key ??= $"pods {Namespaces.Text}|{Pods.Text}";

    /// <summary>Pods of one namespace.</summary>
    public static PodSegment In(string name, LabelSelector pods) => new(LabelSelector.Of([new(NameLabel, name)]), pods);

    public override bool Covers(Segment other) => other is PodSegment pods && Namespaces.Covers(pods.Namespaces) && Pods.Covers(pods.Pods);

    public bool Equals(PodSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => (Namespaces.IsEverything ? "all namespaces" : $"namespaces {Namespaces}") + (Pods.IsEverything ? "" : $", pods {Pods}");
}
