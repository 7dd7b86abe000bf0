using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Xunit;

namespace Flows.Tests.Identity;

public sealed class LedgerTests
{
    private static readonly NetAddress Ten = NetAddress.Parse("10.0.0.1");

    [Fact]
    public void Interval_begins_with_its_first_moment_and_ends_before_its_last()
    {
        var ledger = Said.LedgerOf(Said.That(Said.Pod("a"), "10.0.0.1", 10, 20, 1));

        Assert.Empty(ledger.NamesAt("10.0.0.1", 9));
        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 10));
        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 19));
        Assert.Empty(ledger.NamesAt("10.0.0.1", 20));
    }

    [Fact]
    public void Address_reused_at_once_belongs_to_each_holder_in_its_time()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Pod("old"), "10.0.0.1", 0, 100, 1),
            Said.That(Said.Pod("new"), "10.0.0.1", 100, null, 101));

        Assert.Equal(["old"], ledger.NamesAt("10.0.0.1", 99));
        Assert.Equal(["new"], ledger.NamesAt("10.0.0.1", 100));
        Assert.Equal(ResolvedBy.AsOf, ledger.At("east", Ten, 100).ResolvedBy);
    }

    [Fact]
    public void Late_correction_rewrites_who_held_the_address()
    {
        var before = Said.LedgerOf(Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1));
        var after = before.Add([Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 500)]);

        Assert.Equal(["a"], before.NamesAt("10.0.0.1", 60));
        Assert.Empty(after.NamesAt("10.0.0.1", 60));
        Assert.Equal(["a"], after.NamesAt("10.0.0.1", 49));
    }

    [Fact]
    public void Revoked_interval_vanishes_but_stays_in_the_history()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1),
            Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 2, revoked: 2));

        Assert.Empty(ledger.NamesAt("10.0.0.1", 5));
        Assert.Equal([1L, 2L], ledger.History(null, Ten).Select(said => said.LearnedAtUs));
    }

    [Fact]
    public void Two_holders_at_one_time_are_ambiguous_only_while_they_overlap()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Pod("a"), "10.0.0.1", 0, 20, 1),
            Said.That(Said.Pod("b"), "10.0.0.1", 10, 30, 1));

        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 9));
        Assert.Equal(["a", "b"], ledger.NamesAt("10.0.0.1", 10));
        Assert.Equal(ResolvedBy.Ambiguous, ledger.At("east", Ten, 10).ResolvedBy);
        Assert.Equal(["b"], ledger.NamesAt("10.0.0.1", 20));
    }

    [Fact]
    public void Host_network_pod_and_its_node_are_both_candidates()
    {
        var node = Said.Of(EntityKind.Node, "n1");
        var pod = Said.Pod("proxy", hostNetwork: true);
        var resolution = Said.LedgerOf(Said.That(node, "10.0.0.1", 0, null, 1), Said.That(pod, "10.0.0.1", 5, null, 5)).At("east", Ten, 6);

        Assert.Equal(ResolvedBy.Ambiguous, resolution.ResolvedBy);
        var end = resolution.EntityFor("east", Ten);
        Assert.Equal(EntityKind.Ambiguous, end.Kind);
        Assert.Equal("pod shop/proxy | node n1", end.Name);
        Assert.Equal(Entity.IdOfAmbiguous([node.Id, pod.Id]), end.Id);
    }

    [Fact]
    public void Less_believed_origin_steps_back_for_exactly_the_overlap()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Of(EntityKind.Host, "box"), "10.0.0.1", 0, null, 1, origin: Origins.Host),
            Said.That(Said.Of(EntityKind.Vm, "listed"), "10.0.0.1", 0, null, 1, origin: Origins.File),
            Said.That(Said.Pod("a"), "10.0.0.1", 10, 20, 1, origin: Origins.Kubernetes),
            Said.That(Said.Pod("b"), "10.0.0.1", 15, 25, 1, origin: Origins.Kubernetes));

        Assert.Equal(["box"], ledger.NamesAt("10.0.0.1", 9));
        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 10));
        Assert.Equal(["a", "b"], ledger.NamesAt("10.0.0.1", 15));
        Assert.Equal(["b"], ledger.NamesAt("10.0.0.1", 20));
        Assert.Equal(["box"], ledger.NamesAt("10.0.0.1", 25));
        Assert.Equal(ResolvedBy.AsOf, ledger.At("east", Ten, 9).ResolvedBy);
    }

    [Fact]
    public void Longer_prefix_beats_the_better_believed_origin()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Of(EntityKind.Cidr, "pods"), "10.0.0.0/8", 0, null, 1, origin: Origins.Kubernetes),
            Said.That(Said.Of(EntityKind.External, "shop.example"), "10.0.0.1", 0, null, 1, origin: Origins.Dns));

        Assert.Equal(["shop.example"], ledger.NamesAt("10.0.0.1", 5));
    }

    [Fact]
    public void Same_words_from_a_better_believed_origin_are_news()
    {
        var file = Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1, origin: Origins.File);
        var cluster = Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 2, origin: Origins.Kubernetes);

        Assert.Equal([cluster], LedgerDelta.Of([file], [cluster]));
        Assert.Equal(["a"], Said.LedgerOf(file, cluster, Said.That(Said.Pod("b"), "10.0.0.1", 0, null, 3, origin: Origins.Host)).NamesAt("10.0.0.1", 5));
    }

    [Fact]
    public void Exact_address_beats_a_range_and_a_longer_prefix_a_shorter_one()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Of(EntityKind.Cidr, "office"), "10.0.0.0/8", 0, null, 1),
            Said.That(Said.Of(EntityKind.Cidr, "lab"), "10.0.0.0/24", 0, null, 1),
            Said.That(Said.Pod("a"), "10.0.0.1", 10, 20, 1));

        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 15));
        Assert.Equal(["lab"], ledger.NamesAt("10.0.0.1", 25));
        Assert.Equal(["office"], ledger.NamesAt("10.0.1.1", 15));
        Assert.Equal(ResolvedBy.Cidr, ledger.At("east", Ten, 25).ResolvedBy);
        Assert.Empty(ledger.NamesAt("11.0.0.1", 15));
    }

    [Fact]
    public void Scopes_do_not_see_each_other()
    {
        var ledger = Said.LedgerOf(Said.That(Said.Pod("a", "east"), "10.0.0.1", 0, null, 1), Said.That(Said.Pod("b", "west"), "10.0.0.1", 0, null, 1));

        Assert.Equal(["a"], ledger.NamesAt("10.0.0.1", 5, "east"));
        Assert.Equal(["b"], ledger.NamesAt("10.0.0.1", 5, "west"));
        Assert.Empty(ledger.NamesAt("10.0.0.1", 5, "north"));
        Assert.Equal(2, ledger.History(null, Ten).Count);
        Assert.Single(ledger.History("west", Ten));
    }

    [Fact]
    public void Several_intervals_of_one_entity_are_one_claim()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Pod("a"), "10.0.0.1", 0, 10, 1),
            Said.That(Said.Pod("a"), "10.0.0.1", 5, 20, 1),
            Said.That(Said.Pod("a"), "10.0.0.1", 20, null, 1));

        var span = Assert.Single(ledger.Spans);
        Assert.Equal((0, long.MaxValue), (span.FromUs, span.ToUs));
        Assert.Single(span.Candidates);
    }

    [Fact]
    public void Overlapping_intervals_of_one_entity_show_the_labels_learned_last()
    {
        var ledger = Said.LedgerOf(
            Said.That(Said.Pod("a", labels: ("v", "1")), "10.0.0.1", 0, null, 1),
            Said.That(Said.Pod("a", labels: ("v", "2")), "10.0.0.1", 10, null, 10));

        Assert.Equal("1", Assert.Single(ledger.At("east", Ten, 9).Candidates).Labels["v"]);
        Assert.Equal("2", Assert.Single(ledger.At("east", Ten, 10).Candidates).Labels["v"]);
    }

    [Fact]
    public void Closing_an_interval_does_not_make_it_learned_late()
    {
        var ledger = Said.LedgerOf(Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1), Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 500));
        Assert.Equal(1, Assert.Single(ledger.Spans).LearnedAtUs);

        // Extended again: that it lasted beyond 50 was learned at 600 only, though the first statement had guessed as much.
        var extended = Said.LedgerOf(Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 500), Said.That(Said.Pod("a"), "10.0.0.1", 0, 80, 600));
        Assert.Equal(600, Assert.Single(extended.Spans).LearnedAtUs);
    }

    [Fact]
    public void Unknown_address_is_an_entity_of_its_own_per_scope()
    {
        var unknown = Ledger.Empty.At("east", Ten, 1);

        Assert.Equal(ResolvedBy.Unknown, unknown.ResolvedBy);
        Assert.Equal("10.0.0.1", unknown.EntityFor("east", Ten).Name);
        Assert.NotEqual(unknown.EntityFor("east", Ten).Id, unknown.EntityFor("west", Ten).Id);
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("10.0.0.1/32", "10.0.0.1")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("::/0", "::/0")]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    public void Range_text_is_read_and_written(string text, string canonical)
    {
        Assert.True(AddressRange.TryParse(text, out var range));
        Assert.Equal(canonical, range.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/")]
    [InlineData("010.0.0.1")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("10.1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("2001:db8::/129")]
    public void Range_text_that_could_mean_two_things_is_refused(string text) => Assert.False(AddressRange.TryParse(text, out _));
}
