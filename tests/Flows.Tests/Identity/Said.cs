using Flows.Core.Facts;
using Flows.Core.Identity;
using Xunit;

namespace Flows.Tests.Identity;

/// <summary>Makes statements and entities for tests.</summary>
internal static class Said
{
    public static Entity Pod(string name, string scope = "east", bool hostNetwork = false, params (string Key, string Value)[] labels) => new()
    {
        Id = Entity.IdOf("c1", EntityKind.Pod, name),
        Kind = EntityKind.Pod,
        Scope = scope,
        Uid = name,
        Cluster = "c1",
        Namespace = "shop",
        Name = name,
        HostNetwork = hostNetwork,
        Labels = labels.ToDictionary(label => label.Key, label => label.Value),
    };

    public static Entity Of(EntityKind kind, string name, string scope = "east") => new()
    {
        Id = Entity.IdOf("c1", kind, name),
        Kind = kind,
        Scope = scope,
        Uid = name,
        Cluster = "c1",
        Name = name,
    };

    public static IdentityInterval That(Entity entity, string range, long from, long? to, long learned, long? revoked = null, string origin = "test")
    {
        Assert.True(AddressRange.TryParse(range, out var parsed), range);
        return new()
        {
            IntervalId = IdentityInterval.IdOf(entity, parsed.First, parsed.PrefixLength, from),
            Entity = entity,
            Address = parsed.First,
            PrefixLength = parsed.PrefixLength,
            ValidFromUs = from,
            ValidToUs = to,
            LearnedAtUs = learned,
            RevokedAtUs = revoked,
            Origin = origin,
        };
    }

    public static Ledger LedgerOf(params IdentityInterval[] statements) => Ledger.Empty.Add(statements);

    public static IEnumerable<string> NamesAt(this Ledger ledger, string address, long time, string scope = "east") =>
        ledger.At(scope, NetAddress.Parse(address), time).Candidates.Select(entity => entity.Name);
}
