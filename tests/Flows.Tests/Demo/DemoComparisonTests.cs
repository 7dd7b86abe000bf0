using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Demo;
using Xunit;

namespace Flows.Tests.Demo;

public sealed class DemoComparisonTests
{
    private static readonly DemoTruth Truth = new()
    {
        Connections =
        [
            Connection(FleetPlan.Web1, FleetPlan.Api2, DialOutcome.Answered, FleetPlan.Services[0]),
            Connection(FleetPlan.Web1, FleetPlan.Api2, DialOutcome.Answered, FleetPlan.Services[0]),
            Connection(FleetPlan.Toolbox, FleetPlan.Db, DialOutcome.Refused),
            Connection(FleetPlan.Prometheus, FleetPlan.NodeExporter, DialOutcome.Answered),
            Connection(FleetPlan.Outside, FleetPlan.Web2, DialOutcome.Answered),
        ],
    };

    [Fact]
    public void Faithful_edges_are_neither_missing_nor_invented()
    {
        var comparison = DemoComparison.Compare(Truth, Faithful());
        Assert.Equal((4, 4), (comparison.Expected, comparison.Observed));
        Assert.Empty(comparison.Missing);
        Assert.Empty(comparison.Invented);
        Assert.True(Check(comparison, "service_vip_and_backend_on_one_edge").Ok);
        Assert.True(Check(comparison, "host_network_ambiguous").Ok);
        Assert.True(Check(comparison, "scanner_marked").Ok);
        Assert.True(Check(comparison, "external_unknown").Ok);
    }

    [Fact]
    public void A_check_without_any_edge_fails() => Assert.False(Check(DemoComparison.Compare(Truth, Faithful()), "vm").Ok);

    [Fact]
    public void A_connection_counted_twice_is_invented()
    {
        var edges = Faithful();
        edges[0] = edges[0] with { Connections = 4, Answered = 4 };
        var comparison = DemoComparison.Compare(Truth, edges);
        Assert.Equal("api", edges[0].Service!.Name);
        Assert.Contains("2 connections expected, 4 observed", Assert.Single(comparison.Invented), StringComparison.Ordinal);
        Assert.False(Check(comparison, "service_vip_and_backend_on_one_edge").Ok);
    }

    [Fact]
    public void An_edge_to_the_service_address_alone_is_missing_its_backend()
    {
        var edges = Faithful();
        edges[0] = edges[0] with { Dst = edges[0].Service!, Service = null, ServicePort = null, DstPort = 80 };
        var comparison = DemoComparison.Compare(Truth, edges);
        Assert.Single(comparison.Missing);
        Assert.Single(comparison.Invented);
    }

    [Fact]
    public void A_refused_connection_seen_as_answered_is_named()
    {
        var edges = Faithful();
        var scan = edges.FindIndex(edge => edge.Refused > 0);
        edges[scan] = edges[scan] with { Refused = 0, Answered = 1 };
        var comparison = DemoComparison.Compare(Truth, edges);
        Assert.Contains("1 refused expected, 0 observed", Assert.Single(comparison.Missing), StringComparison.Ordinal);
        Assert.False(Check(comparison, "scanner_marked").Ok);
    }

    [Fact]
    public void Truth_survives_its_JSON()
    {
        var back = DemoTruth.FromJson(Truth.ToJson());
        Assert.Equal(Truth.Edges.Select(edge => edge.Text), back.Edges.Select(edge => edge.Text));
        Assert.Equal(Truth.ToJson(), back.ToJson());
        Assert.True(DemoComparison.Compare(back, Faithful()).Missing.Count == 0);
    }

    private static DemoCheck Check(DemoComparison comparison, string name) => comparison.Checks.Single(check => check.Name == name);

    private static List<Edge> Faithful() =>
    [
        .. Truth.Edges.OrderBy(edge => edge.Service is null).Select(edge => new Edge
        {
            Src = EntityOf(edge.Src),
            Dst = EntityOf(edge.Dst),
            Service = edge.Service is null ? null : EntityOf(edge.Service),
            SrcResolvedBy = ResolvedOf(edge.Src),
            DstResolvedBy = ResolvedOf(edge.Dst),
            Protocol = IpProtocol.Tcp,
            DstPort = (ushort)edge.Port,
            ServicePort = (ushort?)edge.ServicePort,
            Connections = edge.Connections.Count,
            Answered = edge.Answered,
            Refused = edge.Refused,
            Unanswered = edge.Unanswered,
            DirectionTrusted = edge.Connections.Count,
            FirstSeenUs = 1,
            LastSeenUs = 2,
            Nodes = [FleetPlan.NodeA, FleetPlan.NodeB],
        }),
    ];

    private static Entity EntityOf(TruthEnd end) => new()
    {
        Id = StableId.Of(end.Text),
        Kind = Entity.KindOf(end.Kind)!.Value,
        Namespace = end.Namespace,
        Name = end.Candidates.Count > 0 ? string.Join(" | ", end.Candidates.Reverse()) : end.Name,
    };

    private static ResolvedBy ResolvedOf(TruthEnd end) =>
        end.Kind switch { "ambiguous" => ResolvedBy.Ambiguous, "unknown" => ResolvedBy.Unknown, _ => ResolvedBy.AsOf };

    private static TruthConnection Connection(string source, string answerer, DialOutcome outcome, FleetService? service = null) => new()
    {
        Src = TruthEnd.Of(source),
        Dst = TruthEnd.Of(answerer),
        Service = service is null ? null : TruthEnd.Of(service),
        Protocol = "tcp",
        Port = 8080,
        ServicePort = service?.Port,
        Outcome = outcome,
        SrcAddress = "10.10.1.11",
        SrcPort = 40000,
        DialledAddress = "10.96.0.10",
        DstAddress = "10.10.2.12",
        Sent = 10,
        Received = 10,
        StartUs = 1,
        EndUs = 2,
        Nodes = [FleetPlan.NodeA, FleetPlan.NodeB],
    };
}
