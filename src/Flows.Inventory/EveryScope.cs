using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>
/// Lines that hold in every address scope, such as the ranges of a public cloud: each is taken as though it were written once for every scope.
/// </summary>
public static class EveryScope
{
    /// <summary>What such a line has for a scope.</summary>
    public const string Name = "*";

    /// <summary>The statements, those for every scope once for each of these scopes.</summary>
    public static IReadOnlyList<IdentityInterval> Expand(IEnumerable<IdentityInterval> statements, IReadOnlyCollection<string> scopes) =>
        [.. statements.SelectMany(said => said.Entity.Scope == Name ? scopes.Select(scope => In(said, scope)) : [said])];

    private static IdentityInterval In(IdentityInterval said, string scope)
    {
        var entity = said.Entity with { Scope = scope };
        if (entity.Uid == InventoryLine.UidOf(Name, entity.Namespace, entity.Name))
        {
            var uid = InventoryLine.UidOf(scope, entity.Namespace, entity.Name);
            entity = entity with { Uid = uid, Id = Entity.IdOf(entity.Cluster, entity.Kind, uid) };
        }

        return said with { Entity = entity, IntervalId = IdentityInterval.IdOf(entity, said.Address, said.PrefixLength, said.ValidFromUs) };
    }
}
