using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Core;
using Flows.Store;
using Flows.Verbs;
using Flows.Web;

namespace Flows.Tests.Web;

/// <summary>A small shop by hand: two namespaces, DNS, a VM, an ambiguous address, the outside, a scanner, and names that bite.</summary>
internal static class ShopFleet
{
    public const string HostileName = "<img src=x onerror=alert(1)>";

    public static readonly long Start = UnixTime.ToUs(new DateTimeOffset(2026, 1, 31, 10, 0, 0, TimeSpan.Zero));

    public static IReadOnlyList<Edge> Edges { get; } = Build();

    public static WebParts Parts(TimeProvider? time = null, IReadOnlyList<Edge>? edges = null) => new()
    {
        Version = "0.1.0-test",
        Time = time ?? TimeProvider.System,
        Store = () => new StoreHealth(7, 12_345, 3, 456_789),
        Hops = () =>
        [
            new HopReport("conntrack", "events", 100, 90, new SortedDictionary<string, long> { ["socket_overrun"] = 7, ["malformed"] = 1 }, 2),
            new HopReport("spool", "rows", 90, 80, new SortedDictionary<string, long>(), 10),
        ],
        Coverage = () => [new CoverageFact("conntrack", "accounting", CoverageLevel.Partial, "Bytes are not counted: nf_conntrack_acct is 0.", Start)],
        Edges = (_, _) => edges ?? Edges,
        Query = (name, _, _, _) => new QueryResult(NamedQuery.Of(name)!.Columns, Rows(name)),
        Who = (_, _) => [new WhoClaim(Pod("shop", "web", "Deployment"), "10.0.1.1/32", Start, null)],
        Policies = (question, _) => Policies(question),
        Ingest = (_, body, _) => Drain(body),
    };

    /// <summary>Of drafts what a page can show; else one row that holds the columns' names.</summary>
    private static IReadOnlyList<IReadOnlyList<object?>> Rows(string name)
    {
        const string Draft = "0123456789ab";
        object at = UnixTime.FromUs(Start).UtcDateTime;
        return name switch
        {
            "drafts" => [[Draft, null, at, at, at, 5L, 2L, 0L, 1L]],
            "decision_rules" => [[Draft, null, "denied", "isolated by data/closed", 2L, 1L, at, at], [Draft, null, "allowed", "no policy", 5L, 3L, at, at]],
            "decisions" => [[at, Draft, null, "denied", "shop/api", HostileName, null, "tcp", (ushort)5432, 2L, $"no rule of {HostileName} allows it (isolated by data/closed)", at, at]],
            _ => [[.. NamedQuery.Of(name)!.Columns.Select(column => (object?)column)]],
        };
    }

    private static async Task<IngestAnswer> Drain(Stream body)
    {
        var bytes = 0;
        var buffer = new byte[4096];
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
        {
            bytes += read;
        }

        return bytes == 0 ? new(429, "Too busy; come back.", TimeSpan.FromMilliseconds(1500)) : new(200);
    }

    /// <summary>What is suggested for the shop, and one more connection: to a machine whose name bites.</summary>
    private static SuggestedPolicies Policies(PolicyQuestion question)
    {
        List<Edge> edges = [.. Edges, Edge(Pod("shop", "checkout", "Deployment"), Machine(HostileName), 8443, 3, 3_000)];
        var ends = edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]).DistinctBy(end => end.Id).ToList();
        var input = new PolicyInput
        {
            Edges = edges,
            Entities = ends,
            Addresses = ends.Select((end, number) => (end.Id, Block: NetBlock.Of(NetAddress.Parse($"10.1.0.{number + 1}"))))
                .ToDictionary(held => held.Id, held => (IReadOnlyList<NetBlock>)[held.Block]),
            Level = question.Level,
            Target = question.Target,
            Only = question.Segment,
            Cluster = question.Cluster is null or "prod" ? "prod" : throw new FlowsException(ExitCode.Usage, $"The store knows no pod of the cluster '{question.Cluster}'."),
        };
        var suggestion = PolicySuggester.Suggest(input) with { Warnings = [$"{HostileName} tells of more than its pods explain"] };
        var written = RenderedSuggestion.Of(input, suggestion.Set);
        return new SuggestedPolicies
        {
            Cluster = input.Cluster,
            DerivedUs = Start,
            Suggestion = suggestion,
            Losses = written.Losses,
            Replay = written.ReadBack is { } read ? PolicyReplay.Run(input, read()) : null,
            TextOf = policy => RenderedSuggestion.Of(input, new PolicySet([policy])).Files,
            Files = () => PolicyFiles.Of(RenderedSuggestion.Of(input, suggestion.Set).Files, suggestion),
            Plan = () => RolloutPlanner.Plan(input, PolicySet.Empty, suggestion.Set, new JudgeOptions(), new SuggestedReadiness(suggestion)),
        };
    }

    private static List<Edge> Build()
    {
        var (web, api, checkout) = (Pod("shop", "web", "Deployment"), Pod("shop", "api", "Deployment"), Pod("shop", "checkout", "Deployment"));
        var (db, cache, backup) = (Pod("data", "db", "StatefulSet"), Pod("data", "cache", "StatefulSet"), Pod("data", "backup", "CronJob"));
        var dns = Pod("kube-system", "coredns", "Deployment");
        var agent = Pod("kube-system", "node-agent", "DaemonSet");
        var (billing, legacy) = (Machine("billing-vm"), Machine(HostileName));
        var scanner = Pod("dev", "debug-shell", "");
        var customer = Unknown("203.0.113.10");
        var stranger = Unknown("10.9.9.9");
        var payments = Entity("payments.example.com", EntityKind.External);
        var ambiguous = Entity("kube-proxy | node-a", EntityKind.Ambiguous);

        List<Edge> edges =
        [
            Edge(customer, web, 443, 5210, 9_000_000),
            Edge(web, api, 8080, 18_204, 48_000_000, service: "api", servicePort: 80),
            Edge(api, db, 5432, 4_812, 120_000_000, service: "db", serviceNamespace: "data", servicePort: 5432),
            Edge(api, cache, 6379, 40_112, 22_000_000, service: "cache", serviceNamespace: "data", servicePort: 6379),
            Edge(api, checkout, 9000, 812, 1_200_000, service: "checkout", servicePort: 9000),
            Edge(checkout, payments, 443, 790, 4_000_000),
            Edge(checkout, billing, 8443, 788, 2_500_000),
            Edge(checkout, legacy, 1521, 12, 0, answered: 0, refused: 12),
            Edge(backup, db, 5432, 24, 900_000_000),
            Edge(backup, stranger, 873, 6, 0, answered: 0),
            Edge(billing, db, 5432, 96, 7_000_000, trusted: 0),
            Edge(ambiguous, agent, 9100, 340, 800_000),
            Edge(agent, api, 8081, 1_440, 500_000),
        ];
        foreach (var (index, source) in new[] { web, api, checkout, cache, backup, billing }.Index())
        {
            edges.Add(Edge(source, dns, 53, 1_000 + index, 90_000, protocol: IpProtocol.Udp, service: "kube-dns", serviceNamespace: "kube-system", servicePort: 53));
        }

        foreach (var port in (ushort[])[21, 22, 23, 25, 80, 110, 443, 3306, 3389, 5432, 6379, 8080])
        {
            edges.Add(Edge(scanner, port % 2 == 0 ? db : api, port, 1, 0, answered: 0, refused: port % 3 == 0 ? 1 : 0));
        }

        return edges;
    }

    private static Edge Edge(
        Entity src, Entity dst, ushort port, long connections, long bytes, long? answered = null, long refused = 0, long? trusted = null,
        byte protocol = IpProtocol.Tcp, string? service = null, string serviceNamespace = "shop", ushort? servicePort = null) => new()
        {
            Src = src,
            Dst = dst,
            Service = service is null ? null : Entity(service, EntityKind.Service, serviceNamespace),
            SrcResolvedBy = By(src),
            DstResolvedBy = By(dst),
            Protocol = protocol,
            DstPort = port,
            ServicePort = servicePort,
            Connections = connections,
            Answered = answered ?? connections,
            Refused = refused,
            Unanswered = connections - (answered ?? connections) - refused,
            DirectionTrusted = trusted ?? connections,
            FwdBytes = bytes / 5,
            RevBytes = bytes - (bytes / 5),
            FirstSeenUs = Start,
            LastSeenUs = Start + (2 * 3600 * UnixTime.Second),
            Nodes = ["node-a", "node-b"],
        };

    private static ResolvedBy By(Entity entity) => entity.Kind switch
    {
        EntityKind.Unknown => ResolvedBy.Unknown,
        EntityKind.Ambiguous => ResolvedBy.Ambiguous,
        _ => ResolvedBy.AsOf,
    };

    private static Entity Pod(string space, string workload, string kind) =>
        Entity(workload + (kind.Length == 0 ? "" : "-5d9f7-x2x4q"), EntityKind.Pod, space) with { Workload = kind.Length == 0 ? "" : workload, WorkloadKind = kind, Node = "node-a", Labels = new SortedDictionary<string, string> { ["app"] = workload } };

    private static Entity Machine(string name) => Entity(name, EntityKind.Vm) with { Cluster = "" };

    private static Entity Unknown(string address) =>
        new() { Id = Core.Identity.Entity.IdOfUnknown("default", NetAddress.Parse(address)), Kind = EntityKind.Unknown, Name = address, Scope = "default" };

    private static Entity Entity(string name, EntityKind kind, string space = "") =>
        new() { Id = Core.Identity.Entity.IdOf("prod", kind, space + "/" + name), Kind = kind, Name = name, Namespace = space, Cluster = space.Length > 0 ? "prod" : "", Scope = "default" };
}
