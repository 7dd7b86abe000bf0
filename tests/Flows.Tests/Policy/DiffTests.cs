using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class DiffTests
{
    private static readonly PodSegment Web = PodSegment.In("shop", LabelSelector.Of([new("app", "web")]));
    private static readonly PodSegment Batch = PodSegment.In("shop", LabelSelector.Of([new("app", "batch")]));

    private static readonly PolicyInput Seen = Held([Edge(App("web"), App("api"), 8080, connections: 3), Edge(App("batch"), App("api"), 9090)]);

    [Fact]
    public void A_set_that_is_written_otherwise_is_the_same()
    {
        var one = Policy("one", new Rule { Peers = [Web, Batch] });
        PolicySet two = new([Policy("a", new Rule { Peers = [Batch] }), Policy("b", new Rule { Peers = [Web] })]);
        Assert.True(Diff(new([one]), two).IsSame);
    }

    [Fact]
    public void Connections_are_added_removed_and_changed()
    {
        var diff = Diff(
            new([Policy("one", new Rule { Peers = [Web], Ports = [new PortMatch(IpProtocol.Tcp, 8000, 9000)] })]),
            new([Policy("one", new Rule { Peers = [Web], Ports = [PortMatch.Of(IpProtocol.Tcp, 8081), PortMatch.Of(IpProtocol.Udp, 53)] }, new Rule { Peers = [Batch] })]));
        Assert.Equal(
            [
                new DiffEntry("added", "shop/batch", "shop/api", "all", "", 0),
                new DiffEntry("changed", "shop/web", "shop/api", "UDP 53", "TCP 8000-8080, TCP 8082-9000", 3),
            ],
            diff.Entries);
        var gone = Diff(new([Policy("one", new Rule { Peers = [Web] })]), new([Policy("one")]));
        Assert.Equal(new DiffEntry("removed", "shop/web", "shop/api", "", "all", 3), Assert.Single(gone.Entries));
    }

    [Fact]
    public void A_policy_that_comes_closes_what_was_open_to_everybody()
    {
        var diff = Diff(PolicySet.Empty, new([Policy("one", new Rule { Peers = [Web] })]));
        Assert.Equal(["outside", "shop/batch"], diff.Entries.Select(entry => entry.Src));
        Assert.All(diff.Entries, entry => Assert.Equal(("removed", "shop/api"), (entry.Change, entry.Dst)));
        Assert.Equal(10, diff.Entries.Single(entry => entry.Src == "shop/batch").Seen);
    }

    [Fact]
    public void Random_sets_differ_where_the_plain_reading_of_both_does()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new RandomSets(seed) { Denies = true, Tiers = true, Orders = true, NamedPorts = false, ClusterWide = true };
            var (before, after) = (random.Set(4), random.Set(4));
            var parties = random.Parties().Where(party => party.Selectable).ToList();
            var diff = PolicyDiff.Between(before, after, [.. parties.Select(party => new DiffEnd(party.Id, [party]))], null, new JudgeOptions { NamespaceLabels = RandomSets.NamespaceLabels });
            foreach (var src in parties)
            {
                foreach (var dst in parties.Where(dst => dst.Id != src.Id))
                {
                    var entry = diff.Entries.FirstOrDefault(entry => entry.Src == src.Id && entry.Dst == dst.Id);
                    foreach (var port in (ushort[])[1, 53, 60, 80, 81, 443, 8080, 65535])
                    {
                        var connection = new Connection(src, dst, IpProtocol.Tcp, port);
                        var (was, now) = (Passes(before, connection), Passes(after, connection));
                        Assert.True(Names(entry?.Added, port) == (!was && now) && Names(entry?.Removed, port) == (was && !now), $"seed {seed}: {connection} {was} {now} {entry}");
                    }
                }
            }
        }
    }

    [Fact]
    public void Drift_tells_what_only_the_traffic_and_what_only_the_set_has()
    {
        var set = new PolicySet([Policy("one", new Rule { Peers = [Web] })]);
        var drift = PolicyDrift.Of(PolicyReplay.Run(Seen, set, new JudgeOptions()));
        Assert.Equal(
            [new DiffEntry("added", "shop/batch", "shop/api", "TCP 9090", "", 10), new DiffEntry("removed", "shop/web", "shop/api", "", "TCP 9090", 0)], drift.Entries);
        Assert.Equal(["added", "removed"], PolicyDrift.Reversed(drift).Entries.Select(entry => entry.Change));
        Assert.Equal("shop/web", PolicyDrift.Reversed(drift).Entries[0].Src);
    }

    private static bool Passes(PolicySet set, Connection connection) =>
        !NaiveJudge.Judge(set, RandomSets.NamespaceLabels, connection, Dialect.Kubernetes).Contains("denied", StringComparison.Ordinal);

    /// <summary>Whether a text such as <c>TCP 80, TCP 443-500</c> speaks of a TCP port.</summary>
    private static bool Names(string? ports, ushort port) => ports is { Length: > 0 } && ports.Split(", ").Any(one => one == "all" || one == "TCP"
        || (one.StartsWith("TCP ", StringComparison.Ordinal) && one[4..].Split('-') is var ends && port >= ushort.Parse(ends[0], null) && port <= ushort.Parse(ends[^1], null)));

    private static DiffResult Diff(PolicySet before, PolicySet after) =>
        PolicyDiff.Between(before, after, DiffEnd.Of(Seen, new([.. before.Policies, .. after.Policies])), Seen, new JudgeOptions());

    private static SegmentPolicy Policy(string name, params Rule[] ingress) => SegmentPolicy.For("shop", name, LabelSelector.Of([new("app", "api")])) with { Ingress = ingress };
}
