namespace Flows.Core.Identity;

/// <summary>What kind of thing holds an address. The views show the lower-case name.</summary>
public enum EntityKind : byte
{
    /// <summary>Nobody known held the address: an entity per scope and address.</summary>
    Unknown = 0,
    Pod = 1,
    Service = 2,
    Node = 3,
    Vm = 4,
    Host = 5,
    LoadBalancer = 6,

    /// <summary>A named range of addresses from the catalogue.</summary>
    Cidr = 7,

    /// <summary>A name outside, such as a DNS name.</summary>
    External = 8,

    /// <summary>Several entities claimed the address at that time; <see cref="Entity.Name"/> lists them.</summary>
    Ambiguous = 9,
}

/// <summary>Something that holds addresses. Empty text where an attribute does not apply.</summary>
public sealed record Entity
{
    private readonly object uid = "";

    /// <summary>Stable hash of cluster, kind and uid; of scope and address for an unknown peer; of the sorted candidates for an ambiguous one.</summary>
    public required ulong Id { get; init; }

    public required EntityKind Kind { get; init; }

    public string Scope { get; init; } = "";

    /// <summary>What its inventory identifies it by: a UUID for objects of Kubernetes, which is kept as a number, a third as long as its text.</summary>
    public string Uid
    {
        get => uid as string ?? ((Guid)uid).ToString();
        init => uid = Guid.TryParseExact(value, "D", out var number) && number.ToString() == value ? number : value;
    }

    public string Cluster { get; init; } = "";

    public string Namespace { get; init; } = "";

    public required string Name { get; init; }

    /// <summary>Deployment, StatefulSet, DaemonSet, CronJob, VM, ...</summary>
    public string WorkloadKind { get; init; } = "";

    public string Workload { get; init; } = "";

    public string Node { get; init; } = "";

    public bool HostNetwork { get; init; }

    /// <summary>Labels as last known, sorted by key.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoLabels;

    /// <summary>The owner's <c>spec.selector.matchLabels</c>, where the inventory knows it; else empty.</summary>
    public IReadOnlyDictionary<string, string> Selector { get; init; } = NoLabels;

    /// <summary>
    /// The ports of a pod's containers that have names: the number by <c>name/protocol</c>, such as <c>http/tcp</c>; empty where there are none, or the inventory does not
    /// tell. Policies may speak of ports by these names.
    /// </summary>
    public IReadOnlyDictionary<string, string> Ports { get; init; } = NoLabels;

    public static IReadOnlyDictionary<string, string> NoLabels => LabelDictionary.Empty;

    /// <summary>Kind and name for a person, such as <c>pod shop/web</c>; a stranger's text, to be made visible where it is shown.</summary>
    public string Title => $"{TextOf(Kind)} {(Namespace.Length > 0 ? Namespace + "/" : "")}{Name}";

    /// <summary>The id of an entity that an inventory names.</summary>
    public static ulong IdOf(string cluster, EntityKind kind, string uid) => StableId.Of("entity", cluster, TextOf(kind), uid);

    /// <summary>The id of an address that nobody is known to have held.</summary>
    public static ulong IdOfUnknown(string scope, Facts.NetAddress address) => StableId.Of("unknown", scope, address.ToString());

    /// <summary>The id that stands for "one of these"; the order of the candidates does not matter.</summary>
    public static ulong IdOfAmbiguous(IEnumerable<ulong> candidates) =>
        StableId.Of(["ambiguous", .. candidates.Order().Select(id => StableId.Part(id))]);

#pragma warning disable CA1308 // The public names are lower case.
    public static string TextOf(EntityKind kind) => kind == EntityKind.LoadBalancer ? "load_balancer" : kind.ToString().ToLowerInvariant();
#pragma warning restore CA1308

    /// <summary>The kind with this public name, or null.</summary>
    public static EntityKind? KindOf(string text) =>
        Enum.GetValues<EntityKind>().Where(kind => TextOf(kind) == text).Select(kind => (EntityKind?)kind).FirstOrDefault();
}
