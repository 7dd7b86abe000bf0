using Flows.Core.Identity;

namespace Flows.Web.Api;

/// <summary>Who an end of an edge is, or who held an address.</summary>
internal sealed record EntityAnswer(string Kind, string Cluster, string Namespace, string Name, string WorkloadKind, string Workload, string Node, bool HostNetwork)
{
    public static EntityAnswer Of(Entity entity) =>
        new(Entity.TextOf(entity.Kind), entity.Cluster, entity.Namespace, entity.Name, entity.WorkloadKind, entity.Workload, entity.Node, entity.HostNetwork);
}
