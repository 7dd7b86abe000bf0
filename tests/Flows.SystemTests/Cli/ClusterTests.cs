using System.Diagnostics;
using System.Text.Json;
using Flows.FakeCluster;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>A server that watches a cluster: names come with its objects, and what vanished while nobody watched ends.</summary>
public sealed class ClusterTests : IDisposable
{
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Pods_are_named_as_they_come_and_end_also_when_they_vanish_while_the_server_is_down()
    {
        await using var cluster = await FakeApiServer.StartAsync(token: "secret", tls: true);
        Put(cluster, "web", "10.1.0.5");
        Put(cluster, "job", "10.1.0.6");

        // 1. The list names both; a deletion is seen as it happens.
        await using (var server = await ServeAsync(cluster))
        {
            await EventuallyAsync(async () => await HolderAsync("10.1.0.5") == "web" && await HolderAsync("10.1.0.6") == "job");
            cluster[FakeResource.Pods].Delete("shop/job");
            await EventuallyAsync(async () => await HolderAsync("10.1.0.6") is null);
            await server.EndAsync(FlowsProcess.SigTerm);
        }

        Assert.Equal("web", await HolderAsync("10.1.0.5"));

        // 2. One goes and one comes while nobody watches: its end was not witnessed, and is told so.
        cluster[FakeResource.Pods].Delete("shop/web");
        Put(cluster, "api", "10.1.0.7");
        await using var again = await ServeAsync(cluster);
        await EventuallyAsync(async () => await HolderAsync("10.1.0.7") == "api" && await HolderAsync("10.1.0.5") is null);
        using var history = await WhoAsync("10.1.0.5");
        var said = history.RootElement.GetProperty("history").EnumerateArray().Last(one => one.GetProperty("standing").GetString() == "holds");
        Assert.Equal((true, "kubernetes"), (said.GetProperty("end_uncertain").GetBoolean(), said.GetProperty("origin").GetString()));
        await again.EndAsync(FlowsProcess.SigTerm);
    }

    [Theory]
    [InlineData("kubeconfig=/nowhere", "does not begin with the cluster's name")]
    [InlineData("c1,colour=red", "'colour=red' is none of")]
    [InlineData("c1,kubeconfig=/nowhere/config", "/nowhere/config")]
    public async Task What_names_no_cluster_is_said_before_anything_is_served(string cluster, string sentence)
    {
        var finished = await FlowsProcess.RunAsync("serve", "--store", directory["store"], "--listen", $"unix:{directory["s.sock"]}", "--kubernetes", cluster);

        Assert.Equal(2, finished.ExitCode);
        Assert.Contains(sentence, finished.Error, StringComparison.Ordinal);
    }

    private static void Put(FakeApiServer cluster, string name, string address)
    {
        var pod = new FakePod { Namespace = "shop", Name = name, Uid = $"uid-{name}", Addresses = [address], Started = DateTimeOffset.UtcNow.AddMinutes(-5), Created = DateTimeOffset.UtcNow.AddMinutes(-5) };
        cluster[FakeResource.Pods].Put(pod.Key, pod.Json());
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        var waited = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(waited.Elapsed < ArrivalMax, "The store does not know it yet.");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private async Task<FlowsProcess> ServeAsync(FakeApiServer cluster)
    {
        directory.Write("kubeconfig", cluster.Kubeconfig());
        var server = FlowsProcess.Start(
            "serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--kubernetes", $"c1,kubeconfig={directory["kubeconfig"]},scope=lab");
        await server.SaysAsync("serving on");
        return server;
    }

    private async Task<string?> HolderAsync(string address)
    {
        using var document = await WhoAsync(address);
        var answers = document.RootElement.GetProperty("answers").EnumerateArray().ToList();
        return answers.Count == 0 ? null : Assert.Single(answers[0].GetProperty("candidates").EnumerateArray()).GetProperty("name").GetString();
    }

    private async Task<JsonDocument> WhoAsync(string address)
    {
        var finished = await FlowsProcess.RunAsync("who", address, "--store", directory["store"], "--output", "json");
        return JsonDocument.Parse(finished.Output);
    }
}
