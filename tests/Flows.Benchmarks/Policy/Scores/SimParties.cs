using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>Simulated ends in the words of whoever judges a set.</summary>
internal static class SimParties
{
    public static Connection Meet(SimConnection connection) => Meet(connection.Src, connection.SrcAddress, connection.Dst, connection.DstAddress, connection.Need.Protocol, connection.Need.Port);

    public static Connection Meet(Entity src, NetAddress srcAddress, Entity dst, NetAddress dstAddress, byte protocol, ushort port) =>
        new(PartyOf(src, srcAddress), PartyOf(dst, dstAddress), protocol, port)
        {
            OwnNode = src.Kind == EntityKind.Pod && dst.Kind == EntityKind.Pod && src.Node == dst.Node && (src.HostNetwork || dst.HostNetwork),
        };

    public static Party PartyOf(Entity entity, NetAddress address) => new()
    {
        Id = entity.Uid.Length > 0 ? entity.Uid : address.ToString(),
        Selectable = entity is { Kind: EntityKind.Pod, HostNetwork: false },
        Namespace = entity.Namespace,
        Labels = entity.Labels,
        HostLabels = entity is { Kind: EntityKind.Pod, HostNetwork: true } ? new Dictionary<string, string> { [HostSegment.NameLabel] = entity.Node } : null,
        Address = NetBlock.Of(address),
    };

    /// <summary>The namespaces of a landscape with the label that every API server gives them.</summary>
    public static Dictionary<string, IReadOnlyDictionary<string, string>> Namespaces(Topology topology) => topology.Workloads.Select(workload => workload.Namespace).Append("").Distinct()
        .ToDictionary(name => name, name => (IReadOnlyDictionary<string, string>)new Dictionary<string, string> { [PodSegment.NameLabel] = name });

    /// <summary>The last pods of a workload: those after the roll-out.</summary>
    public static IEnumerable<SimPod> After(SimFleet fleet, SimWorkload workload) => fleet.Of(workload.Id).OrderByDescending(pod => pod.FromUs).Take(workload.Replicas);
}
