namespace Flows.Core.Policy;

/// <summary>Hosts by their labels: cluster nodes, VMs, bare metal. What shares a host's network (hostNetwork pods) counts as the host.</summary>
public sealed record HostSegment(LabelSelector Labels) : Segment
{
    /// <summary>The label that every host carries, with its name as the value.</summary>
    public const string NameLabel = "kubernetes.io/hostname";

    public override string Key => $"hosts {Labels.Text}";

    /// <summary>One host.</summary>
    public static HostSegment Named(string name) => new(LabelSelector.Of([new(NameLabel, name)]));

    public override bool Covers(Segment other) => other is HostSegment hosts && Labels.Covers(hosts.Labels);

    public bool Equals(HostSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Labels.IsEverything ? "all hosts" : $"hosts {Labels}";
}
