using System.Diagnostics;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes;
using Xunit;
using static Flows.Tests.Inventory.Kubernetes.Bench;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class WatchTests
{
    private static void Fill(FakeApiServer server, int pods)
    {
        for (var i = 0; i < pods; i++)
        {
            var pod = Pod($"web-{i:000}", $"10.0.{i / 250}.{1 + (i % 250)}");
            server[FakeResource.Pods].Put(pod.Key, pod.Json());
        }
    }

    [Fact]
    public async Task Lists_come_in_pages_over_tls_with_a_token_and_are_watched_on()
    {
        await using var server = await FakeApiServer.StartAsync(token: "secret", tls: true);
        Fill(server, 50);
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count == 50, "50 pods");
        Assert.True(server.Faults.Lists >= 10 + 8, "seven objects a page");

        var pod = Pod("late", "10.9.9.9");
        server[FakeResource.Pods].Put(pod.Key, pod.Json());
        await watched.UntilAsync(() => watched.Now("10.9.9.9") == "late", "an addition");
        server[FakeResource.Pods].Delete(pod.Key);
        await watched.UntilAsync(() => watched.Now("10.9.9.9").Length == 0, "its deletion");
        Assert.Equal((50, 1, ""), (watched.Health(FakeResource.Pods).Objects, watched.Health(FakeResource.Pods).Lists, watched.Health(FakeResource.Pods).LastError));
    }

    [Fact]
    public async Task Wrong_token_is_told_with_its_remedy()
    {
        await using var server = await FakeApiServer.StartAsync();
        await using var other = await FakeApiServer.StartAsync(token: "secret");
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, server.Kubeconfig().Replace(server.Address.ToString(), other.Address.ToString(), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await using var watched = await Watched.StartAsync(server, options => options with { Kubeconfig = config }, synced: false);
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.Errors.ContainsKey("http_401")), "401 everywhere");
        Assert.Contains("credentials", watched.Health(FakeResource.Pods).LastError, StringComparison.Ordinal);
        File.Delete(config);
    }

    [Fact]
    public async Task Black_hole_is_flagged_and_closes_nothing_and_what_changed_meanwhile_is_caught_up()
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 20);
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count == 20, "20 pods");
        Assert.All(watched.Source.Health(), one => Assert.Null(one.StaleSinceUs));

        server.Faults.BlackHole();
        var begun = Stopwatch.StartNew();
        server[FakeResource.Pods].Delete("shop/web-000");
        var pod = Pod("late", "10.9.9.9");
        server[FakeResource.Pods].Put(pod.Key, pod.Json());
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.StaleSinceUs is not null), "all is flagged as stale");

        // In real life 55 s; here 1.2 s.
        Assert.InRange(begun.Elapsed.TotalSeconds, 0.5, 3);
        await watched.UntilAsync(() => watched.Health(FakeResource.Pods).Errors.GetValueOrDefault("silent") >= 2, "new connections are tried");
        Assert.Equal(20, watched.Said().Count);

        server.Faults.Heal();
        await watched.UntilAsync(() => watched.Now("10.9.9.9") == "late" && watched.Now("10.0.0.1").Length == 0, "it is caught up");
        Assert.Equal(20, watched.Intervals().Count(one => one.ValidToUs is null));
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.StaleSinceUs is null && one.LastError.Length == 0), "nothing is stale any more");
    }

    [Fact]
    public async Task Quiet_watch_is_taken_up_again_without_a_list_and_without_a_flag()
    {
        await using var server = await FakeApiServer.StartAsync();
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.Errors.GetValueOrDefault("quiet") >= 2), "watches were taken up again");
        Assert.All(watched.Source.Health(), one => Assert.Equal((1, null, ""), (one.Lists, one.StaleSinceUs, one.LastError)));
    }

    [Fact]
    public async Task Server_that_is_down_closes_nothing_and_is_caught_up_with()
    {
        var server = await FakeApiServer.StartAsync();
        Fill(server, 20);
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count == 20, "20 pods");

        await server.DisposeAsync();
        server[FakeResource.Pods].Delete("shop/web-000");
        server[FakeResource.Pods].Compact();
        await watched.UntilAsync(() => watched.Health(FakeResource.Pods).StaleSinceUs is not null, "it is flagged");
        Assert.Equal(20, watched.Said().Count);

        await using var again = await FakeApiServer.StartAsync(server.Address.Port, from: server);
        await watched.UntilAsync(() => watched.Now("10.0.0.1").Length == 0, "it is caught up");
        Assert.True(watched.Intervals().Single(one => one.ValidToUs is not null).EndUncertain);
        Assert.Equal(19, watched.Intervals().Count(one => one.ValidToUs is null));
    }

    [Fact]
    public async Task Expired_version_and_expired_pages_mean_a_new_list_that_blanks_nothing()
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 50);
        server.Faults.ExpireContinues = 2;
        server.Faults.CutLists = 1;
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count == 50, "50 pods");

        server[FakeResource.Pods].PutSilently("shop/web-007", null);
        server.Faults.ExpireWatches = 1000;
        server.ResetConnections();
        await watched.UntilAsync(() => watched.Health(FakeResource.Pods).Lists >= 3, "it listed again");
        server.Faults.ExpireWatches = 0;
        await watched.UntilAsync(() => watched.Now("10.0.0.8").Length == 0, "the missed deletion is found");
        Assert.Equal(51, watched.Said().Count);
        Assert.True(watched.Health(FakeResource.Pods).Errors["expired"] >= 1);
    }

    [Theory]
    [InlineData(403, "grant get, list and watch on jobs")]
    [InlineData(404, "does not serve /apis/batch/v1/jobs")]
    [InlineData(429, "429")]
    [InlineData(500, "500")]
    public async Task Resource_that_is_refused_stops_no_other_and_says_why(int status, string says)
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 5);
        server.Faults.Refuse["jobs"] = (status, 1_000_000);
        await using var watched = await Watched.StartAsync(server, synced: false);
        await watched.UntilAsync(() => watched.Said().Count == 5, "pods are known");
        await watched.UntilAsync(() => watched.Source.Health().Count(one => one.Synced) == 10, "all others are synced");
        Assert.Contains(says, watched.Health(FakeResource.Jobs).LastError, StringComparison.Ordinal);
        Assert.True(watched.Health(FakeResource.Jobs).Errors[$"http_{status}"] >= 1);

        server.Faults.Refuse["jobs"] = (status, 0);
        await watched.UntilAsync(() => watched.Health(FakeResource.Jobs).Synced, "it is tried again");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Owners_are_known_from_metadata_alone_or_from_the_whole(bool whole)
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Faults.NoPartialMetadata = whole;
        server[FakeResource.ReplicaSets].Put("shop/web-abc", new FakeWorkload { Namespace = "shop", Name = "web-abc", Uid = "rs1", Owner = new("apps/v1", "Deployment", "web", "d1") }.Json());
        var pod = Pod("web-abc-x", "10.0.0.1") with { Owner = new("apps/v1", "ReplicaSet", "web-abc", "rs1") };
        server[FakeResource.Pods].Put(pod.Key, pod.Json());
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count > 0, "the pod");

        // Owners are listed first, so it was right at once.
        Assert.Equal("web", Assert.Single(watched.Said()).Entity.Workload);
    }

    [Fact]
    public async Task Object_that_cannot_be_read_costs_itself_only()
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 3);
        var good = Pod("web-000", "10.0.0.1").Json();
        var bad = good.Replace("\"10.0.0.1\"", "\"not an address\"", StringComparison.Ordinal).Replace("web-000", "bad", StringComparison.Ordinal);
        server[FakeResource.Pods].Put("shop/bad", bad);
        await using var watched = await Watched.StartAsync(server);
        await watched.UntilAsync(() => watched.Said().Count == 3, "the good ones");
        Assert.Equal((1, "bad: 'not an address' is no address"), (watched.Health(FakeResource.Pods).Errors["object"], watched.Health(FakeResource.Pods).LastBadObject));

        // An object that was good and no longer is keeps what it had, over a new list too.
        server[FakeResource.Pods].Put("shop/web-000", good.Replace("\"phase\":\"Running\"", "\"phase\":7", StringComparison.Ordinal));
        server.Faults.ExpireWatches = 1000;
        server.ResetConnections();
        await watched.UntilAsync(() => watched.Health(FakeResource.Pods).Lists >= 2, "a new list");
        Assert.Equal("web-000", watched.Now("10.0.0.1"));
    }

    [Fact]
    public async Task Slow_taker_holds_reading_back_and_loses_nothing()
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 400);
        var open = new TaskCompletionSource();
        var most = 0;
        await using var watched = await Watched.StartAsync(server, options => options with { PendingMax = 20 }, synced: false, sink: async news =>
        {
            most = Math.Max(most, news.Identities.Count);
            await open.Task;
        });
        await watched.UntilAsync(() => watched.Said().Count > 0, "the first news");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.InRange(watched.Said().Count, 1, 40);
        Assert.False(watched.Health(FakeResource.Pods).Synced);

        open.SetResult();
        await watched.UntilAsync(() => watched.Said().Count == 400, "all");
        Assert.InRange(most, 1, 20 + 7);
    }

    [Fact]
    public async Task Sink_that_fails_ends_the_run_with_its_fault()
    {
        await using var server = await FakeApiServer.StartAsync();
        Fill(server, 1);
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, server.Kubeconfig(), TestContext.Current.CancellationToken);
        var source = new KubernetesSource(new() { Cluster = "c1", Scope = "lab", Kubeconfig = config }, TimeProvider.System);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => source.RunAsync(_ => throw new InvalidTimeZoneException(), TestContext.Current.CancellationToken));
        File.Delete(config);
    }
}
