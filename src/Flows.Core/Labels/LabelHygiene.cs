using Flows.Core.Identity;

namespace Flows.Core.Labels;

/// <summary>Something that holds addresses, with what of them it holds.</summary>
public sealed record Labelled(Entity Entity, IReadOnlyCollection<AddressRange> Addresses);

/// <summary>Why a label may be wrong.</summary>
/// <param name="Key">Which label.</param>
/// <param name="Reason"><c>members_disagree</c>, <c>near_miss</c>, <c>namespace_majority</c> or <c>not_plain</c>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record LabelSuspicion(string Key, string Reason, string Detail);

/// <summary>What is labelled together: the pods of a workload, or one machine.</summary>
public sealed record LabelledWorkload
{
    /// <summary>One of its members, for what they have in common.</summary>
    public required Entity Entity { get; init; }

    /// <summary>The workload's name, or the machine's.</summary>
    public required string Name { get; init; }

    public required int Members { get; init; }

    /// <summary>By key what most of the members have, with the evidence.</summary>
    public required BusinessLabels Labels { get; init; }

    /// <summary>Keys that no member has.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    public required IReadOnlyList<LabelSuspicion> Suspicions { get; init; }
}

/// <summary>Finds what has no labels, and labels that are probably wrong. Suggests, never corrects.</summary>
public static class LabelHygiene
{
    // A value that so many workloads have is meant; one that a single workload has may be a slip.
    private const int FrequentMin = 3;
    private const int NearMax = 2;

    // Within short words two letters are too many: "dev" is not a slip for "prod", nor "web" for "job".
    private const int LengthForOne = 4;
    private const int LengthForTwo = 7;

    private static readonly EntityKind[] Kinds = [EntityKind.Pod, EntityKind.Vm, EntityKind.Host, EntityKind.Node];

    private sealed record Group(Entity Entity, string Name, IReadOnlyList<BusinessLabels> Members);

    /// <summary>The workloads among these, ordered by scope, cluster, namespace and name.</summary>
    public static IReadOnlyList<LabelledWorkload> Of(IEnumerable<Labelled> holders, LabelRules rules)
    {
        Group[] groups =
        [
            .. holders.Where(one => Kinds.Contains(one.Entity.Kind))
                .GroupBy(one => (
                    one.Entity.Scope, one.Entity.Cluster, one.Entity.Namespace, Name: NameOf(one.Entity), Kind: KindOf(one.Entity),
                    Alone: one.Entity.Workload.Length > 0 ? 0 : one.Entity.Id))
                .OrderBy(same => same.Key.Scope, StringComparer.Ordinal).ThenBy(same => same.Key.Cluster, StringComparer.Ordinal)
                .ThenBy(same => same.Key.Namespace, StringComparer.Ordinal).ThenBy(same => same.Key.Name, StringComparer.Ordinal).ThenBy(same => same.Key.Kind, StringComparer.Ordinal)
                .ThenBy(same => same.Key.Alone)
                .Select(same => new Group(same.MinBy(one => one.Entity.Id)!.Entity, same.Key.Name, [.. same.Select(one => rules.Apply(one.Entity, one.Addresses))])),
        ];
        var labels = groups.Select(group => new BusinessLabels([.. rules.Keys.Select(key => MostOf(group, key)).OfType<BusinessLabel>()])).ToArray();
        var uses = rules.Keys.ToDictionary(key => key, key => labels.Select(one => one[key]?.Value).OfType<string>().CountBy(value => value).ToDictionary(StringComparer.Ordinal));
        var majorities = Majorities(groups, labels);
        return
        [
            .. groups.Zip(labels, (group, own) => new LabelledWorkload
            {
                Entity = group.Entity,
                Name = group.Name,
                Members = group.Members.Count,
                Labels = own,
                Missing = [.. rules.Keys.Where(key => own[key] is null)],
                Suspicions =
                [
                    .. rules.Keys.Select(key => Disagreement(group, key)).OfType<LabelSuspicion>(),
                    .. own.Labels.Select(label => NearMiss(label, uses[label.Key])).OfType<LabelSuspicion>(),
                    .. own.Labels.Where(label => !LabelRulesReader.IsPlain(label.Value)).Select(label => new LabelSuspicion(
                        label.Key, "not_plain", $"{label.Key} '{label.Value}' has characters or a length that no selector can compare with")),
                    .. own[LabelRules.Env] is { } env && majorities.TryGetValue(SpaceOf(group.Entity), out var usual) && usual.Value != env.Value
                        ? (LabelSuspicion[])[new(
                            LabelRules.Env, "namespace_majority",
                            $"env is '{env.Value}', but '{usual.Value}' for {usual.Count} of {usual.Of} workloads of namespace '{group.Entity.Namespace}'")]
                        : [],
                ],
            }),
        ];
    }

    private static string NameOf(Entity entity) => entity.Workload.Length > 0 ? entity.Workload : entity.Name;

    private static string KindOf(Entity entity) => entity.Workload.Length > 0 ? entity.WorkloadKind : Entity.TextOf(entity.Kind);

    private static (string, string, string) SpaceOf(Entity entity) => (entity.Scope, entity.Cluster, entity.Namespace);

    private static BusinessLabel? MostOf(Group group, string key) => group.Members.Select(member => member[key]).OfType<BusinessLabel>()
        .GroupBy(label => label.Value, StringComparer.Ordinal).OrderByDescending(same => same.Count()).ThenBy(same => same.Key, StringComparer.Ordinal).FirstOrDefault()?.First();

    private static LabelSuspicion? Disagreement(Group group, string key)
    {
        var values = group.Members.CountBy(member => member[key]?.Value ?? "").OrderByDescending(one => one.Value).ThenBy(one => one.Key, StringComparer.Ordinal).ToArray();
        return values.Length < 2 ? null : new(key, "members_disagree",
            $"of {group.Members.Count} members {string.Join(", ", values.Take(4).Select(one => one.Key.Length > 0 ? $"{one.Value} have {key} '{one.Key}'" : $"{one.Value} have no {key}"))}");
    }

    private static LabelSuspicion? NearMiss(BusinessLabel label, Dictionary<string, int> uses)
    {
        if (uses[label.Value] > 1)
        {
            return null;
        }

        var near = uses.Where(other => other.Value >= FrequentMin && IsNear(label.Value, other.Key))
            .OrderByDescending(other => other.Value).ThenBy(other => other.Key, StringComparer.Ordinal).FirstOrDefault();
        return near.Key is null ? null : new(label.Key, "near_miss", $"no other workload has {label.Key} '{label.Value}', and {near.Value} have '{near.Key}'");
    }

    /// <summary>A slip of the pen: other case, or a letter or two. What differs in digits only is a number, and meant.</summary>
    private static bool IsNear(string rare, string frequent)
    {
        if (string.Equals(rare, frequent, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var max = Math.Min(rare.Length, frequent.Length) switch { >= LengthForTwo => NearMax, >= LengthForOne => 1, _ => 0 };
        return max > 0 && EditDistance.Of(rare, frequent, max) <= max && WithoutDigits(rare) != WithoutDigits(frequent);
    }

    private static string WithoutDigits(string text) => string.Concat(text.Where(one => !char.IsAsciiDigit(one)));

    /// <summary>The environment that two thirds of a namespace's labelled workloads have, where there are enough of them to say so.</summary>
    private static Dictionary<(string, string, string), (string Value, int Count, int Of)> Majorities(Group[] groups, BusinessLabels[] labels) =>
        groups.Zip(labels).Where(one => one.First.Entity.Namespace.Length > 0 && one.Second[LabelRules.Env] is not null)
            .GroupBy(one => SpaceOf(one.First.Entity), one => one.Second[LabelRules.Env]!.Value)
            .Select(space => (space.Key, Most: space.CountBy(value => value).MaxBy(value => value.Value), Of: space.Count()))
            .Where(space => space.Most.Value >= FrequentMin && space.Most.Value * 3 >= space.Of * 2)
            .ToDictionary(space => space.Key, space => (space.Most.Key, space.Most.Value, space.Of));
}
