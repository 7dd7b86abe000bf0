using System.Globalization;
using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>
/// Entities that a set cannot tell apart (labels, ranges, ports by name) are one party: a workload of a hundred pods is judged once. Two parties stand for each class, so that a
/// connection between two pods of one is not taken for one of a pod with itself.
/// </summary>
internal sealed class PartyClasses(EdgeSieve sieve, PolicySet set)
{
    private readonly RangeIndex ranges = new(set);
    private readonly PortNames names = new(set);
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<(Party One, Party Other)> parties = [];
    private readonly Dictionary<Entity, int[]> byEntity = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IReadOnlyDictionary<string, string>, string> labelTexts = new(ReferenceEqualityComparer.Instance);

    public int Count => parties.Count;

    public Party this[int number] => parties[number].One;

    /// <summary>The classes that an entity may be in: one for each kind of address that it held; never none.</summary>
    public int[] Of(Entity entity, string service = "")
    {
        if (service.Length > 0)
        {
            return Find(entity, service);
        }

        if (!byEntity.TryGetValue(entity, out var found))
        {
            byEntity[entity] = found = Find(entity, service);
        }

        return found;
    }

    /// <summary>The two parties of a connection between these classes.</summary>
    public (Party Src, Party Dst) Between(int src, int dst) => (parties[src].One, src == dst ? parties[dst].Other : parties[dst].One);

    private int[] Find(Entity entity, string service)
    {
        var ports = names.Of(entity);
        var party = PartyOf(entity) with { Services = service.Length > 0 ? [service] : [], Ports = ports };
        var addresses = sieve.AddressesOf(entity);
        var text = $"{(party.Selectable ? 'p' : '-')}|{party.Namespace}|{LabelsOf(party.Labels)}|{(party.HostLabels is { } host ? LabelText(host) : "-")}"
            + $"|{string.Join(' ', party.Names)}|{service}|{string.Join(' ', ports)}|";
        return addresses.Count == 0
            ? [Number(text + "-", party)]
            : [.. addresses.Select(address => Number($"{text}{(address.IsV4 ? 4 : 6)} {ranges.PlaceOf(address)}", party with { Address = address })).Distinct()];
    }

    private int Number(string text, Party party)
    {
        if (!numbers.TryGetValue(text, out var number))
        {
            numbers[text] = number = parties.Count;
            var id = number.ToString(CultureInfo.InvariantCulture);
            parties.Add((party with { Id = id }, party with { Id = id + "'" }));
        }

        return number;
    }

    /// <summary>An entity as policies see it, without an address.</summary>
    private Party PartyOf(Entity entity) => new()
    {
        Id = "",
        Selectable = sieve.Selectable(entity),
        Namespace = entity.Namespace,
        Labels = entity.Labels,
        HostLabels = HostLabels(entity),
        Names = entity.Kind == EntityKind.External ? [entity.Name] : [],
    };

    /// <summary>The labels of a machine; of a pod in a node's network, what is known of the node: its name.</summary>
    private static Dictionary<string, string>? HostLabels(Entity entity) => entity switch
    {
        { Kind: EntityKind.Node or EntityKind.Vm or EntityKind.Host } => new(entity.Labels, StringComparer.Ordinal) { [HostSegment.NameLabel] = entity.Name },
        { Kind: EntityKind.Pod, HostNetwork: true } => new(StringComparer.Ordinal) { [HostSegment.NameLabel] = entity.Node },
        _ => null,
    };

    private string LabelsOf(IReadOnlyDictionary<string, string> labels)
    {
        if (!labelTexts.TryGetValue(labels, out var text))
        {
            labelTexts[labels] = text = LabelText(labels);
        }

        return text;
    }

    private static string LabelText(IReadOnlyDictionary<string, string> labels) =>
        string.Join('\u001f', labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));
}
