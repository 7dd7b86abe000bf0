using CsCheck;
using Flows.Core.Identity;
using Flows.Core.Map;
using Xunit;

namespace Flows.Tests.Map;

public sealed class EdgeGraphTests
{
    private static readonly Gen<Entity> Entities = Gen.OneOf(
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 2], Gen.Int[0, 1], Gen.Bool, (name, workload, space, east) =>
            Drawn.Pod($"p{name}", workload == 0 ? "" : $"w{workload}", $"ns{space}", east ? "east" : "west")),
        Gen.Int[1, 30].Select(host => Drawn.Unknown($"203.0.113.{host}")),
        Gen.Int[1, 30].Select(host => Drawn.Unknown($"10.0.0.{host}")),
        Gen.Int[0, 2].Select(name => Drawn.Service($"s{name}")));

    private static readonly Gen<Edge> Edges = Gen.Select(Entities, Entities, Gen.Int[0, 3], Gen.UShort[1, 4], Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 9],
        (src, dst, service, port, answered, refused, unanswered) => Drawn.Edge(
            src, dst, port, answered, refused, unanswered, service == 0 ? null : Drawn.Service($"s{service}"), service == 0 ? null : (ushort)80));

    [Fact]
    public void Totals_are_the_same_at_every_level() => Edges.Array[0, 60].Sample(edges =>
    {
        foreach (var level in Enum.GetValues<MapLevel>())
        {
            var links = EdgeGraph.Of(edges, level).Links;
            Assert.Equal(edges.Sum(edge => edge.Connections), links.Sum(link => link.Connections));
            Assert.Equal(edges.Sum(edge => edge.Connections), links.Sum(link => link.Ports.Sum(port => port.Connections)));
            Assert.Equal(edges.Sum(edge => edge.Answered), links.Sum(link => link.Answered));
            Assert.Equal(edges.Sum(edge => edge.Refused), links.Sum(link => link.Refused));
            Assert.Equal(edges.Sum(edge => edge.Unanswered), links.Sum(link => link.Unanswered));
            Assert.Equal(edges.Sum(edge => edge.RevBytes), links.Sum(link => link.RevBytes));
        }
    }, iter: 200);

    [Fact]
    public void Map_does_not_depend_on_the_order_of_edges() => Gen.Select(Edges.Array[0, 40], Gen.Int).Sample((edges, seed) =>
    {
        var shuffled = edges.ToArray();
        new Random(seed).Shuffle(shuffled);
        foreach (var level in Enum.GetValues<MapLevel>())
        {
            Assert.Equal(MapJson.Text(EdgeGraph.Of(edges, level)), MapJson.Text(EdgeGraph.Of(shuffled, level)));
        }
    }, iter: 100);

    [Fact]
    public void Service_level_ends_at_the_dialled_service_and_lists_its_backends()
    {
        var link = Assert.Single(EdgeGraph.Of(Drawn.Shop(), MapLevel.Service).Links, link => link.To.Kind == "service");

        Assert.Equal(("shop/web", "shop/pay"), (link.From.Label, link.To.Label));
        Assert.Equal(["shop/pay-1", "shop/pay-2"], link.Backends);
        Assert.Equal([new MapPort(6, 443, 9)], link.Ports);
    }

    [Fact]
    public void Workload_level_ends_at_who_answered_on_the_answering_port()
    {
        var link = Assert.Single(EdgeGraph.Of(Drawn.Shop(), MapLevel.Workload).Links, link => link.To.Label == "shop/pay");

        Assert.Equal([new MapPort(6, 8443, 9), new MapPort(6, 9090, 2)], link.Ports);
        Assert.Equal(MapMarks.None, link.Flags);
    }

    [Fact]
    public void Unknown_addresses_stand_together_but_stay_visible_and_inside_is_not_external()
    {
        var edges = Enumerable.Range(1, 20).Select(host => Drawn.Edge(Drawn.Unknown($"203.0.113.{host}"), Drawn.Pod("web-1", "web"), 80, answered: 1))
            .Append(Drawn.Edge(Drawn.Unknown("10.3.3.3"), Drawn.Pod("web-1", "web"), 80, answered: 1)).ToArray();
        var nodes = EdgeGraph.Of(edges, MapLevel.Namespace).Nodes.Where(node => node.Kind == "unknown").ToArray();

        Assert.Equal(["external", "unknown"], nodes.Select(node => node.Label));
        Assert.Equal((20, 8, "203.0.113.1"), (nodes[0].AddressCount, nodes[0].Addresses.Count, nodes[0].Addresses[0]));
        Assert.Equal(["10.3.3.3"], nodes[1].Addresses);
        Assert.Equal(22, EdgeGraph.Of(edges, MapLevel.Pod).Nodes.Count);
    }

    [Fact]
    public void Same_names_in_two_clusters_are_two_nodes_with_two_labels()
    {
        var graph = EdgeGraph.Of([Drawn.Edge(Drawn.Pod("web-1", "web", cluster: "c1"), Drawn.Pod("web-1", "web", cluster: "c2"), 80, answered: 1)], MapLevel.Workload);

        Assert.Equal(["c1: shop/web", "c2: shop/web"], graph.Nodes.Select(node => node.Label));
    }

    [Fact]
    public void Scopes_are_named_only_where_the_graph_has_several()
    {
        var one = Drawn.Edge(Drawn.Unknown("203.0.113.1"), new Entity { Id = 9, Kind = EntityKind.Host, Name = "h" }, 80, answered: 1);
        var two = Drawn.Edge(Drawn.Unknown("203.0.113.1"), new Entity { Id = 9, Kind = EntityKind.Host, Name = "h", Scope = "west" }, 80, answered: 1);

        Assert.Equal(["external", "h"], EdgeGraph.Of([one], MapLevel.Workload).Nodes.Select(node => node.Label));
        Assert.Equal(["c1: external", "west: h"], EdgeGraph.Of([two], MapLevel.Workload).Nodes.Select(node => node.Label));
    }

    [Fact]
    public void Links_say_what_failed_and_what_is_doubtful()
    {
        var ambiguous = new Entity { Id = 7, Kind = EntityKind.Ambiguous, Name = "pod shop/a | node n1" };
        Edge[] edges =
        [
            Drawn.Edge(Drawn.Pod("a", ""), Drawn.Pod("b", ""), 1, refused: 1),
            Drawn.Edge(Drawn.Pod("a", ""), Drawn.Pod("c", ""), 1, unanswered: 1),
            Drawn.Edge(Drawn.Pod("a", ""), Drawn.Pod("d", ""), 1, refused: 1, unanswered: 1),
            Drawn.Edge(Drawn.Pod("a", ""), Drawn.Pod("e", ""), 1, answered: 1) with { DirectionTrusted = 0 },
            Drawn.Edge(Drawn.Pod("a", ""), ambiguous, 1, answered: 1),
        ];

        Assert.Equal(
            [MapMarks.AmbiguousEnd, MapMarks.RefusedOnly, MapMarks.UnansweredOnly, MapMarks.FailedOnly, MapMarks.UntrustedDirection],
            EdgeGraph.Of(edges, MapLevel.Pod).Links.Select(link => link.Flags));
    }

    [Fact]
    public void Scanner_is_marked_at_every_level()
    {
        var scan = Enumerable.Range(1, 20).Select(port => Drawn.Edge(Drawn.Pod("scan", "", "evil"), Drawn.Pod("db", "db"), (ushort)port, refused: 1)).ToArray();

        Assert.All(Enum.GetValues<MapLevel>(), level => Assert.True(Assert.Single(EdgeGraph.Of(scan, level).Links).Flags.HasFlag(MapMarks.Scanner)));
    }
}
