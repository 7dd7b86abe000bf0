using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes.Watching;
using Xunit;
using static Flows.Tests.Inventory.Kubernetes.Bench;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class PodStatementTests
{
    [Fact]
    public void Pod_holds_its_addresses_from_its_start_until_it_is_deleted()
    {
        var bench = new Bench().Event(Pod("web-1", created: 5) with { Phase = "Pending", Started = null }, 5.1)
            .Event(Pod("web-1", "10.0.0.1,fd00::1", created: 5) with { Started = At(6) }, 8)
            .Event(Pod("web-1", "10.0.0.1,fd00::1", created: 5) with { Started = At(6) }, 60.5, gone: true);

        Assert.Equal([(6, 60.5, false)], bench.Intervals("10.0.0.1"));
        Assert.Equal([(6, 60.5, false)], bench.Intervals("fd00::1"));
        Assert.All(bench.Said, said => Assert.Equal((Origins.Kubernetes, "lab", "c1", "uid-web-1"), (said.Origin, said.Entity.Scope, said.Entity.Cluster, said.Entity.Uid)));
    }

    [Fact]
    public void Start_that_lies_before_creation_or_in_the_future_is_not_believed()
    {
        var bench = new Bench().Event(Pod("early", "10.0.0.1", created: 5) with { Started = At(1) }, 8).Event(Pod("late", "10.0.0.2", created: 5) with { Started = At(100) }, 8);

        Assert.Equal([(5, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
        Assert.Equal([(8, double.PositiveInfinity, false)], bench.Intervals("10.0.0.2"));
    }

    [Theory]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    public void Finished_pod_lets_go_of_the_address_that_its_status_still_shows(string phase)
    {
        var done = Pod("job-1", "10.0.0.1") with { Phase = phase, Finished = At(30), RestartPolicy = "Never" };
        var bench = new Bench().Event(Pod("job-1", "10.0.0.1"), 2).Event(done, 33).Event(Pod("web-1", "10.0.0.1", created: 40), 41).Event(done, 50).Event(done, 60, gone: true);

        // The API's times are cut to seconds: it ended somewhere in second 30.
        Assert.Equal("job-1", bench.Who("10.0.0.1", 30.9));
        Assert.Equal("", bench.Who("10.0.0.1", 31));
        Assert.Equal("web-1", bench.Who("10.0.0.1", 55));
        Assert.Equal([(0, 31, false), (40, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
    }

    [Fact]
    public void Finished_pod_seen_within_its_last_second_ends_when_it_was_seen() =>
        Assert.Equal([(0, 30.5, false)], new Bench().Event(Pod("job-1", "10.0.0.1"), 2).Event(Pod("job-1", "10.0.0.1") with { Phase = "Succeeded", Finished = At(30) }, 30.5).Intervals("10.0.0.1"));

    [Fact]
    public void Evicted_pod_without_containers_ends_when_that_was_seen() =>
        Assert.Equal([(0, 20, false)], new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(Pod("web-1", "10.0.0.1") with { Phase = "Failed" }, 20).Intervals("10.0.0.1"));

    [Fact]
    public void Containers_that_all_ended_end_the_pod_before_its_phase_says_so_unless_they_will_be_restarted()
    {
        var ended = Pod("web-1", "10.0.0.1") with { Finished = At(30) };
        Assert.Equal([(0, 30.5, false)], new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(ended with { RestartPolicy = "Never" }, 30.5).Intervals("10.0.0.1"));
        Assert.Equal([(0, 30.5, false)], new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(ended with { Deleting = At(29) }, 30.5).Intervals("10.0.0.1"));
        Assert.Equal([(0, double.PositiveInfinity, false)], new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(ended, 30.5).Intervals("10.0.0.1"));
    }

    [Fact]
    public void Address_that_disappears_for_an_update_closes_nothing()
    {
        var bench = new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(Pod("web-1"), 10).Event(Pod("web-1", "10.0.0.1"), 11);
        Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
        Assert.Single(bench.Said);
    }

    [Fact]
    public void Address_that_changes_closes_the_old_and_opens_the_new()
    {
        var bench = new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(Pod("web-1", "10.0.0.2"), 20);
        Assert.Equal([(0, 20, false)], bench.Intervals("10.0.0.1"));
        Assert.Equal([(20, double.PositiveInfinity, false)], bench.Intervals("10.0.0.2"));
    }

    [Fact]
    public void Deletion_of_the_old_pod_leaves_its_successor_of_the_same_name_alone()
    {
        var bench = new Bench().Event(Pod("db-0", "10.0.0.1", "old"), 2).Event(Pod("db-0", "10.0.0.1", "new", created: 30), 31).Event(Pod("db-0", "10.0.0.1", "old"), 32, gone: true);

        Assert.Equal("new", bench.Holder("10.0.0.1", 40).Uid);
        Assert.Equal("db-0|db-0", bench.Who("10.0.0.1", 31.5));
        Assert.NotEqual(bench.Holder("10.0.0.1", 40).Id, bench.Holder("10.0.0.1", 5).Id);
    }

    [Fact]
    public void Late_copies_of_earlier_events_raise_nobody()
    {
        var pod = Pod("web-1", "10.0.0.1");
        var bench = new Bench().Event(pod, 2).Event(pod, 3).Event(pod with { Phase = "Succeeded", Finished = At(9) }, 10).Event(pod, 11).Event(pod, 12, gone: true).Event(pod, 13).Event(pod, 14, gone: true);
        Assert.Equal([(0, 10, false)], bench.Intervals("10.0.0.1"));
    }

    [Fact]
    public void Event_before_the_addition_it_follows_is_no_harm()
    {
        var bench = new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(Pod("web-1") with { Phase = "Pending", Started = null }, 3);
        Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
    }

    [Fact]
    public void Changed_labels_end_one_interval_and_begin_the_next_of_the_same_entity()
    {
        var relabelled = Pod("web-1", "10.0.0.1") with { Labels = new Dictionary<string, string> { ["app"] = "web", ["track"] = "canary" } };
        var bench = new Bench().Event(Pod("web-1", "10.0.0.1"), 2).Event(relabelled, 20);

        Assert.Equal([(0, 20, false), (20, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
        Assert.False(bench.Holder("10.0.0.1", 19).Labels.ContainsKey("track"));
        Assert.Equal("canary", bench.Holder("10.0.0.1", 21).Labels["track"]);
        Assert.Equal(bench.Holder("10.0.0.1", 19).Id, bench.Holder("10.0.0.1", 21).Id);
    }

    [Fact]
    public void Pod_on_the_nodes_network_claims_the_nodes_address_and_says_so()
    {
        var bench = new Bench().Event(new FakeNode { Name = "node-1", Uid = "n1", Addresses = [("InternalIP", "192.168.0.1")] }, 1)
            .Event(Pod("exporter", "192.168.0.1") with { HostNetwork = true }, 2);
        Assert.Equal("exporter|node-1", bench.Who("192.168.0.1", 5));
        Assert.True(bench.Said.Single(said => said.Entity.Kind == EntityKind.Pod).Entity.HostNetwork);
    }

    [Fact]
    public void What_vanished_while_nobody_watched_ends_uncertainly_when_that_is_found()
    {
        var bench = new Bench().List(ResourceKind.Pods, 2, Pod("web-1", "10.0.0.1"), Pod("web-2", "10.0.0.2")).List(ResourceKind.Pods, 100, Pod("web-2", "10.0.0.2"));
        Assert.Equal([(0, 100, true)], bench.Intervals("10.0.0.1"));
        Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals("10.0.0.2"));
    }

    [Fact]
    public void List_that_does_not_end_takes_nothing_back()
    {
        var bench = new Bench().List(ResourceKind.Pods, 2, Pod("web-1", "10.0.0.1"));
        bench.Ledger.BeginList(ResourceKind.Pods);
        bench.Ledger.BeginList(ResourceKind.Pods);
        Assert.Equal(0, bench.Ledger.Pending);
        Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
    }

    [Fact]
    public void Object_that_cannot_be_read_keeps_what_it_had()
    {
        var bench = new Bench().List(ResourceKind.Pods, 2, Pod("web-1", "10.0.0.1"), Pod("web-2", "10.0.0.2"));
        bench.Ledger.BeginList(ResourceKind.Pods);
        bench.Ledger.Unread(ResourceKind.Pods, "uid-web-1");
        bench.Ledger.EndList(ResourceKind.Pods, Us(50));
        Assert.Equal("web-2", Assert.Single(bench.Ledger.TakeNews().Identities).Entity.Name);

        // One without a uid could be any of them.
        bench.Ledger.BeginList(ResourceKind.Pods);
        bench.Ledger.Unread(ResourceKind.Pods, "");
        bench.Ledger.EndList(ResourceKind.Pods, Us(60));
        Assert.Equal(0, bench.Ledger.Pending);
    }

    [Fact]
    public void Pod_that_is_found_ended_is_told_with_its_end_where_that_is_known()
    {
        var bench = new Bench().List(ResourceKind.Pods, 1000, Pod("job-1", "10.0.0.1") with { Phase = "Succeeded", Finished = At(30) }, Pod("evicted", "10.0.0.2") with { Phase = "Failed" });
        Assert.Equal([(0, 31, false)], bench.Intervals("10.0.0.1"));

        // Only the change of a condition, at its start, is near its end.
        Assert.Equal([(0, 1, true)], bench.Intervals("10.0.0.2"));
    }

    [Fact]
    public void Restart_says_nothing_again_and_closes_what_vanished_meanwhile()
    {
        var stays = Pod("web-1", "10.0.0.1");
        var done = Pod("job-1", "10.0.0.3") with { Phase = "Succeeded", Finished = At(5) };
        var before = new Bench().List(ResourceKind.Pods, 10, stays, Pod("web-2", "10.0.0.2"), done);
        var after = new Bench();
        after.Ledger.Seed(before.All);
        after.List(ResourceKind.Pods, 500, stays, done, Pod("job-2", "10.0.0.4", created: 100) with { Phase = "Succeeded", Finished = At(120) });

        Assert.Equal(["web-2", "job-2"], after.Said.Select(said => said.Entity.Name).Order().Reverse());
        Assert.Equal([(0, 500, true)], after.Intervals("10.0.0.2"));
        Assert.Equal([(100, 121, false)], after.Intervals("10.0.0.4"));
    }

    [Fact]
    public void Two_clusters_with_the_same_pod_addresses_are_two_scopes()
    {
        var east = new Bench("east", "east").Event(Pod("web-1", "10.0.0.1"), 2);
        var west = new Bench("west", "west").Event(Pod("web-1", "10.0.0.1"), 2);
        Assert.NotEqual(east.Holder("10.0.0.1", 3).Id, west.Holder("10.0.0.1", 3).Id);
        Assert.Equal(("east", "west"), (east.Holder("10.0.0.1", 3).Scope, west.Holder("10.0.0.1", 3).Scope));
    }
}
