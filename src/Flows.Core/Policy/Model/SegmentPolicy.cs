namespace Flows.Core.Policy;

/// <summary>
/// What a segment may do. A direction whose list is null is not spoken of. Otherwise the rules decide, and what no rule matches is closed where
/// the policy <see cref="Closes"/> the direction, else left to later policies and tiers.
/// </summary>
public sealed record SegmentPolicy
{
    /// <summary>Where policies without an order stand among those of their tier that have one.</summary>
    public const double OrderOfUnordered = 1_000;

    /// <summary>The namespace that the policy belongs to; empty for one of the whole fleet.</summary>
    public string Namespace { get; init; } = "";

    public required string Name { get; init; }

    /// <summary>Whom it governs.</summary>
    public required Segment Target { get; init; }

    public Tier Tier { get; init; } = Tier.Application;

    /// <summary>
    /// The place within the tier, lowest first; policies of one order are asked by name. Within such a policy the first rule that matches decides. Null:
    /// the policy adds up with all others of its tier that have none, among whom a denial outweighs every allowance.
    /// </summary>
    public double? Order { get; init; }

    /// <summary>Who may come in; null: this policy does not speak of ingress.</summary>
    public IReadOnlyList<Rule>? Ingress { get; init; }

    /// <summary>Where it may go; null: this policy does not speak of egress.</summary>
    public IReadOnlyList<Rule>? Egress { get; init; }

    /// <summary>Whether ingress that no rule matches is denied at the end of the tier.</summary>
    public bool ClosesIngress { get; init; } = true;

    /// <summary>As for ingress.</summary>
    public bool ClosesEgress { get; init; } = true;

    /// <summary>The workload or namespace it was suggested for, as the items of a review name it; empty for a policy that was read.</summary>
    public string Subject { get; init; } = "";

    /// <summary>Where it was read: file and document; empty for a suggestion.</summary>
    public string Origin { get; init; } = "";

    /// <summary>What kind of object it was read from; objects of two kinds may share a name.</summary>
    public string Kind { get; init; } = "";

    /// <summary><c>namespace/name</c>, or the name alone.</summary>
    public string Id => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";

    /// <summary>The selector of pods within the target; everything where the target is no single group of pods.</summary>
    public LabelSelector Pods => Target is PodSegment pods ? pods.Pods : LabelSelector.Everything;

    /// <summary>A policy for these pods of a namespace that speaks of no direction yet.</summary>
    public static SegmentPolicy For(string inNamespace, string name, LabelSelector pods) => new() { Namespace = inNamespace, Name = name, Target = PodSegment.In(inNamespace, pods) };

    public IReadOnlyList<Rule>? Rules(Direction direction) => direction == Direction.Ingress ? Ingress : Egress;

    /// <summary>Whether what no rule matches is denied.</summary>
    public bool Closes(Direction direction) => direction == Direction.Ingress ? ClosesIngress : ClosesEgress;

    /// <summary>Both directions' rules with their direction and index.</summary>
    public IEnumerable<(Direction Direction, int Index, Rule Rule)> AllRules() =>
        (Ingress ?? []).Select((rule, index) => (Direction.Ingress, index, rule))
        .Concat((Egress ?? []).Select((rule, index) => (Direction.Egress, index, rule)));
}
