using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>Builds entities and edges for policy tests; says only what a test is about.</summary>
internal static class Fleet
{
    public const long Start = 1_700_000_000_000_000;

    public static Entity Pod(string name, string workload, string labels, string selector = "", string ns = "shop", string kind = "Deployment", bool host = false, string node = "n1", string cluster = "") => new()
    {
        Id = Entity.IdOf(cluster, EntityKind.Pod, $"{ns}/{name}"),
        Kind = EntityKind.Pod,
        Uid = $"{ns}/{name}",
        Cluster = cluster,
        Namespace = ns,
        Name = name,
        Workload = workload,
        WorkloadKind = workload.Length == 0 ? "" : kind,
        Node = node,
        HostNetwork = host,
        Labels = Labels(labels),
        Selector = Labels(selector),
    };

    /// <summary>A pod of a workload that is picked by <c>app=</c>.</summary>
    public static Entity App(string workload, int replica = 0, string ns = "shop") => Pod($"{workload}-{replica}", workload, $"app={workload}", $"app={workload}", ns);

    public static Entity Machine(EntityKind kind, string name) => new() { Id = Entity.IdOf("", kind, name), Kind = kind, Uid = name, Name = name };

    public static Entity Unknown(string address) => new() { Id = Entity.IdOfUnknown("", NetAddress.Parse(address)), Kind = EntityKind.Unknown, Name = address };

    public static Edge Edge(Entity src, Entity dst, ushort port, byte protocol = IpProtocol.Tcp, long connections = 10, long? answered = null, long refused = 0, long? trusted = null, ResolvedBy resolved = ResolvedBy.AsOf) => new()
    {
        Src = src,
        Dst = dst,
        SrcResolvedBy = resolved,
        DstResolvedBy = resolved,
        Protocol = protocol,
        DstPort = port,
        Connections = connections,
        Answered = answered ?? connections,
        Refused = refused,
        Unanswered = connections - (answered ?? connections) - refused,
        DirectionTrusted = trusted ?? connections,
        FirstSeenUs = Start,
        LastSeenUs = Start + (60 * UnixTime.Second),
        Nodes = ["n1", "n2"],
    };

    public static PolicyInput Input(IEnumerable<Edge> edges, IEnumerable<Entity>? more = null, SegmentLevel level = SegmentLevel.Workload, IEnumerable<(Entity Entity, string Address)>? addresses = null, params string[] clusterRanges)
    {
        var all = edges.ToList();
        return new PolicyInput
        {
            Edges = all,
            Entities = [.. all.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]), .. more ?? []],
            Addresses = (addresses ?? []).GroupBy(held => held.Entity.Id)
                .ToDictionary(held => held.Key, held => (IReadOnlyList<NetBlock>)[.. held.Select(one => NetBlock.Of(NetAddress.Parse(one.Address)))]),
            Level = level,
            ClusterRanges = [.. clusterRanges.Select(NetBlock.Parse)],
        };
    }

    /// <summary>As <see cref="Input"/>, with every entity holding an address of its own in the span, as the ledger says of what is alive.</summary>
    public static PolicyInput Held(IEnumerable<Edge> edges, IEnumerable<Entity>? more = null)
    {
        var input = Input(edges, more);
        var addresses = input.Entities.Select(entity => entity.Id).Distinct()
            .Select((id, number) => (id, Block: NetBlock.Of(NetAddress.Parse($"10.{number / 65536}.{number / 256 % 256}.{number % 256}"))))
            .ToDictionary(held => held.id, held => (IReadOnlyList<NetBlock>)[held.Block]);
        return input with { Addresses = addresses };
    }

    /// <summary>What a set that was written and read back denies of the input.</summary>
    public static ReplayResult Replay(PolicyInput input, PolicySet set) => PolicyReplay.Run(input, RoundTrip(set));

    public static PolicySet RoundTrip(PolicySet set) =>
        KubernetesReader.Read(set.Policies.Select(policy => new PolicyDocument($"{policy.Id}.yaml", KubernetesWriter.Write(policy, $"evidence.json#{policy.Id}"))));

    public static IEnumerable<Rule> Rules(this PolicySet set) => set.Policies.SelectMany(policy => policy.AllRules()).Select(rule => rule.Rule);

    public static IEnumerable<ReviewReason> Reasons(this Suggestion suggestion) => suggestion.Review.Select(item => item.Reason);

    private static SortedDictionary<string, string> Labels(string text) => new(text.Split(',', StringSplitOptions.RemoveEmptyEntries)
        .Select(label => label.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1]), StringComparer.Ordinal);
}
