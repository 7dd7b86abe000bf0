using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Tests.Map;

/// <summary>Makes edges for tests.</summary>
internal static class Drawn
{
    public const long Start = 1_767_261_600_000_000; // 2026-01-01T10:00:00Z

    public static Entity Pod(string name, string workload, string space = "shop", string cluster = "c1") => new()
    {
        Id = Entity.IdOf(cluster, EntityKind.Pod, space + name),
        Kind = EntityKind.Pod,
        Scope = cluster,
        Cluster = cluster,
        Namespace = space,
        Name = name,
        WorkloadKind = workload.Length > 0 ? "Deployment" : "",
        Workload = workload,
    };

    public static Entity Service(string name, string space = "shop") => new()
    {
        Id = Entity.IdOf("c1", EntityKind.Service, space + name),
        Kind = EntityKind.Service,
        Scope = "c1",
        Cluster = "c1",
        Namespace = space,
        Name = name,
    };

    public static Entity Unknown(string address) => Resolution.Unknown.EntityFor("c1", NetAddress.Parse(address));

    public static Edge Edge(
        Entity src, Entity dst, ushort port, long answered = 0, long refused = 0, long unanswered = 0, Entity? service = null, ushort? servicePort = null) => new()
        {
            Src = src,
            Dst = dst,
            Service = service,
            SrcResolvedBy = By(src),
            DstResolvedBy = By(dst),
            Protocol = IpProtocol.Tcp,
            DstPort = port,
            ServicePort = servicePort,
            Connections = answered + refused + unanswered,
            Answered = answered,
            Refused = refused,
            Unanswered = unanswered,
            DirectionTrusted = answered + refused + unanswered,
            FwdBytes = 100 * answered,
            RevBytes = 1000 * answered,
            FirstSeenUs = Start,
            LastSeenUs = Start + (60 * 1_000_000),
            Nodes = ["n1", "n2"],
        };

    private static ResolvedBy By(Entity entity) => entity.Kind switch
    {
        EntityKind.Unknown => ResolvedBy.Unknown,
        EntityKind.Ambiguous => ResolvedBy.Ambiguous,
        _ => ResolvedBy.AsOf,
    };

    /// <summary>A small shop: two web pods call a service of two backends, one of which is refused; strangers call in; a name is hostile.</summary>
    public static IReadOnlyList<Edge> Shop()
    {
        var pay = Service("pay");
        var (pay1, pay2) = (Pod("pay-1", "pay"), Pod("pay-2", "pay"));
        var hostile = Pod("x\"];\n%%{init}%%<b>\u202e", "", "`evil`");
        return
        [
            Edge(Pod("web-1", "web"), pay1, 8443, answered: 5, service: pay, servicePort: 443),
            Edge(Pod("web-2", "web"), pay2, 8443, answered: 3, refused: 1, service: pay, servicePort: 443),
            Edge(Pod("web-1", "web"), pay1, 9090, refused: 2),
            Edge(pay1, Unknown("203.0.113.9"), 443, answered: 1),
            Edge(Unknown("10.9.9.9"), Pod("web-1", "web"), 80, unanswered: 4) with { DirectionTrusted = 0 },
            Edge(hostile, Pod("web-1", "web"), 80, answered: 1),
        ];
    }
}
