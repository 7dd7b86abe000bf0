using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>One entity as it was from a moment on.</summary>
public sealed record EntityVersion(long FromUs, Entity Entity);

/// <summary>
/// What entities were at each moment, as far as policies look: labels, named ports, namespace, workload, network. The store's edges name entities, whose attributes
/// are the last known; a roll-out or a relabelled pod is judged rightly only by those of its time.
/// </summary>
public sealed class LabelHistory
{
    private LabelHistory(IReadOnlyDictionary<ulong, IReadOnlyList<EntityVersion>> changing) => Changing = changing;

    public static LabelHistory None { get; } = new(new Dictionary<ulong, IReadOnlyList<EntityVersion>>());

    /// <summary>The versions, oldest first, of each entity (by id) that has several. The first one counts for all the time before it, too.</summary>
    public IReadOnlyDictionary<ulong, IReadOnlyList<EntityVersion>> Changing { get; }

    /// <summary>From the ledger: the latest statement of each interval, without the withdrawn.</summary>
    public static LabelHistory Of(IEnumerable<IdentityInterval> ledger)
    {
        Dictionary<ulong, IReadOnlyList<EntityVersion>> changing = [];
        foreach (var said in LedgerNow.Latest(ledger).GroupBy(statement => statement.Entity.Id))
        {
            // Addresses of one entity begin at different times with the same attributes; what was learned last about a moment counts.
            List<EntityVersion> versions = [];
            foreach (var statement in said.OrderBy(statement => statement.ValidFromUs).ThenBy(statement => statement.LearnedAtUs).ThenBy(statement => statement.IntervalId))
            {
                if (versions.Count > 0 && versions[^1].FromUs == statement.ValidFromUs)
                {
                    versions.RemoveAt(versions.Count - 1);
                }

                if (versions.Count == 0 || !Same(versions[^1].Entity, statement.Entity))
                {
                    versions.Add(new EntityVersion(statement.ValidFromUs, statement.Entity));
                }
            }

            if (versions.Count > 1)
            {
                changing[said.Key] = versions;
            }
        }

        return changing.Count == 0 ? None : new LabelHistory(changing);
    }

    /// <summary>The entity as it was; itself where nothing else is known.</summary>
    public Entity At(Entity entity, long us)
    {
        if (!Changing.TryGetValue(entity.Id, out var versions))
        {
            return entity;
        }

        var found = versions[0];
        foreach (var version in versions)
        {
            if (version.FromUs > us)
            {
                break;
            }

            found = version;
        }

        return found.Entity;
    }

    /// <summary>Edges whose ends are as they were, with their ends as last known instead: one edge where versions had one each.</summary>
    public IReadOnlyList<Edge> LastKnown(IReadOnlyList<Edge> edges)
    {
        Entity Last(Entity end) => Changing.TryGetValue(end.Id, out var versions) ? versions[^1].Entity : end;
        var changing = edges.ToLookup(edge => Changing.ContainsKey(edge.Src.Id) || Changing.ContainsKey(edge.Dst.Id));
        return
        [
            .. changing[false],
            .. changing[true].GroupBy(edge => (edge.Src.Id, edge.Dst.Id, edge.Service?.Id, edge.Protocol, edge.DstPort, edge.ServicePort))
                .Select(parts => Edge.Sum([.. parts]) with { Src = Last(parts.First().Src), Dst = Last(parts.First().Dst) }),
        ];
    }

    private static bool Same(Entity a, Entity b) => a.Namespace == b.Namespace && a.Workload == b.Workload && a.WorkloadKind == b.WorkloadKind && a.Name == b.Name
        && a.Node == b.Node && a.HostNetwork == b.HostNetwork && a.Kind == b.Kind && SameLabels(a.Labels, b.Labels) && SameLabels(a.Ports, b.Ports);

    private static bool SameLabels(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        ReferenceEquals(a, b) || (a.Count == b.Count && a.All(label => b.TryGetValue(label.Key, out var value) && value == label.Value));
}
