using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Verbs;

/// <summary>Who held an address at a time, for programs.</summary>
/// <param name="Answers">One for each scope that has one.</param>
/// <param name="History">Everything that was ever said about the address.</param>
internal sealed record WhoReport(string Address, string At, IReadOnlyList<WhoHolder> Answers, IReadOnlyList<WhoStatement> History);

/// <summary>Who held it in a scope; several candidates where the ledger cannot tell.</summary>
/// <param name="ValidTo">Null while it lasts.</param>
internal sealed record WhoHolder(string Scope, ResolvedBy ResolvedBy, string ValidFrom, string? ValidTo, string LearnedAt, IReadOnlyList<WhoEntity> Candidates);

/// <summary>A statement of the ledger.</summary>
/// <param name="EndUncertain">The end was not witnessed, and <paramref name="ValidTo"/> is the latest possible one.</param>
/// <param name="Standing"><c>holds</c>, <c>superseded</c> or <c>revoked</c>.</param>
internal sealed record WhoStatement(
    string Scope, string Addr, WhoEntity Entity, string ValidFrom, string? ValidTo, bool EndUncertain, string LearnedAt, string? RevokedAt, string Origin, string Standing);

/// <summary>An entity with what tells it from others.</summary>
internal sealed record WhoEntity(
    string Kind, string Uid, string Cluster, string Namespace, string Name, string WorkloadKind, string Workload, string Node, bool HostNetwork,
    IReadOnlyDictionary<string, string> Labels)
{
    public static WhoEntity Of(Entity entity) => new(
        Entity.TextOf(entity.Kind), entity.Uid, entity.Cluster, entity.Namespace, entity.Name, entity.WorkloadKind, entity.Workload, entity.Node, entity.HostNetwork, entity.Labels);
}
