namespace Flows.Core.Policy;

/// <summary>Whom a rule speaks about. Two segments are the same when their keys are.</summary>
public abstract record Segment
{
    /// <summary>The exact meaning as text: the order of output, and equality.</summary>
    public abstract string Key { get; }

    /// <summary>True where everything in the other is certainly here too.</summary>
    public abstract bool Covers(Segment other);
}

/// <summary>The pods with these labels in the namespaces with those labels: a workload, or with no condition on pods a whole namespace.</summary>
/// <param name="Namespaces">On the labels of namespaces; each carries <see cref="NameLabel"/>.</param>
/// <param name="Pods">On the labels of pods.</param>
public sealed record PodSegment(LabelSelector Namespaces, LabelSelector Pods) : Segment
{
    /// <summary>The label that the Kubernetes API sets on every namespace, with its name as the value.</summary>
    public const string NameLabel = "kubernetes.io/metadata.name";

    public override string Key => $"pods {Namespaces.Text}|{Pods.Text}";

    /// <summary>Pods of one namespace.</summary>
    public static PodSegment In(string name, LabelSelector pods) => new(LabelSelector.Of([new(NameLabel, name)]), pods);

    public override bool Covers(Segment other) => other is PodSegment pods && Namespaces.Covers(pods.Namespaces) && Pods.Covers(pods.Pods);

    public bool Equals(PodSegment? other) => other is not null && Key == other.Key;

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => (Namespaces.IsEverything ? "all namespaces" : $"namespaces {Namespaces}") + (Pods.IsEverything ? "" : $", pods {Pods}");
}

/// <summary>The addresses of a range, without the excepted ones.</summary>
public sealed record RangeSegment(NetBlock Range, IReadOnlyList<NetBlock> Except) : Segment
{
    public override string Key => $"range {Range}|{string.Join(',', Except)}";

    public bool Contains(Facts.NetAddress address) => Range.Contains(address) && !Except.Any(except => except.Contains(address));

    public override bool Covers(Segment other) => other is RangeSegment range && Range.Contains(range.Range)
        && Except.All(except => !except.Contains(range.Range) && (!range.Range.Contains(except) || range.Except.Any(its => its.Contains(except))));

    public bool Equals(RangeSegment? other) => other is not null && Key == other.Key;

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Except.Count == 0 ? Range.ToString() : $"{Range} except {string.Join(' ', Except)}";
}
