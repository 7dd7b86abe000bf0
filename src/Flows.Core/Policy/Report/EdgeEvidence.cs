using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>An edge as evidence.</summary>
public sealed record EdgeEvidence(
    string Src, string SrcKind, string SrcWorkload, ResolvedBy SrcResolvedBy, string Dst, string DstKind, string DstWorkload, ResolvedBy DstResolvedBy,
    string? Service, ushort? ServicePort, string Protocol, ushort DstPort, long Connections, long Answered, string FirstSeen, string LastSeen, IReadOnlyList<string> Nodes)
{
    public static EdgeEvidence Of(Edge edge) => new(
        Called(edge.Src),
        Entity.TextOf(edge.Src.Kind),
        edge.Src.Workload,
        edge.SrcResolvedBy,
        Called(edge.Dst),
        Entity.TextOf(edge.Dst.Kind),
        edge.Dst.Workload,
        edge.DstResolvedBy,
        edge.Service is { } service ? Called(service) : null,
        edge.ServicePort,
        IpProtocol.NameOf(edge.Protocol),
        edge.DstPort,
        edge.Connections,
        edge.Answered,
        UnixTime.Text(edge.FirstSeenUs),
        UnixTime.Text(edge.LastSeenUs),
        edge.Nodes);

    /// <summary>An entity as a person names it: with its namespace, where it has one.</summary>
    public static string Called(Entity entity) => entity.Namespace.Length > 0 ? $"{entity.Namespace}/{entity.Name}" : entity.Name;
}
