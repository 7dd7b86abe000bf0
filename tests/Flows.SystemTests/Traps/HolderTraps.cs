using Flows.Core;
using Flows.FakeCluster;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>Traps about who held an address when: reused, short-lived, finished, shared by two clusters, relabelled.</summary>
[Collection(TrapSuite.Name)]
public sealed class HolderTraps(TrapRun run)
{
    private static readonly Dictionary<string, string> Blue = new() { ["app"] = "t17-client", ["track"] = "blue" };
    private static readonly Dictionary<string, string> Green = new() { ["app"] = "t17-client", ["track"] = "green" };

    internal static void Prepare(TrapLab lab)
    {
        var (east, now) = (lab.East, DateTimeOffset.UtcNow);
        east.Pod("t06-server", "10.10.2.60");
        east.Pod("t07-server", "10.10.2.70");
        east.Job("t07-job", "job-uid-t07");

        foreach (var (cluster, name) in new[] { (lab.East, "east"), (lab.West, "west") })
        {
            cluster.Pod($"t16-client-{name}", "10.10.1.160");
            cluster.Pod($"t16-server-{name}", "10.10.2.160");
        }

        east.Pod("t17-server", "10.10.2.170");

        // Objects of pods that ended are still there with their addresses; one of these somebody else has now, the other nobody whom the cluster knows.
        foreach (var (name, address) in new[] { ("t21-done", "10.10.1.210"), ("t21-gone", "10.10.1.211") })
        {
            east.Pod(name, address, pod => pod with { Phase = "Succeeded", RestartPolicy = "Never", Finished = now.AddMinutes(-2), Started = now.AddMinutes(-4) });
        }

        east.Pod("t21-heir", "10.10.1.210", pod => pod with { Created = now.AddMinutes(-1), Started = now.AddMinutes(-1) });
        east.Pod("t21-server", "10.10.2.210");
    }

    internal static Task SpeakAsync(TrapLab lab) => Task.WhenAll(ReuseAsync(lab), HurryAsync(lab), RelabelAsync(lab), Task.Run(() => Rest(lab)));

    /// <summary>One pod ends and another has its address within the same second; both speak as close to that as they can.</summary>
    private static async Task ReuseAsync(TrapLab lab)
    {
        var first = lab.East.Pod("t06-first", "10.10.1.60");
        lab.Mark("t06-early");
        TrapTalk.Exchange(lab.A(60), lab.B(60), 10600);

        // Outlives its pod, as connections do that nobody closed: it is still heard of when the next one has the address.
        lab.Lasting["t06"] = TrapTalk.Open(lab.A(60), lab.B(60), 10604);
        await Task.Delay(1200);

        // Into the middle of a second, so that the change does not touch the border of the next one.
        await Task.Delay(1500 - DateTimeOffset.UtcNow.Millisecond);
        lab.Mark("t06-last");
        TrapTalk.Exchange(lab.A(60), lab.B(60), 10601);
        var end = DateTimeOffset.UtcNow;
        lab.East.Put(first with { Phase = "Succeeded", Deleting = end, Finished = end });
        lab.East.Delete(first);
        await Task.Delay(150);
        lab.East.Pod("t06-second", "10.10.1.60", pod => pod with { Created = DateTimeOffset.UtcNow, Started = DateTimeOffset.UtcNow });
        lab.Mark("t06-next");
        TrapTalk.Exchange(lab.A(60), lab.B(60), 10602);
        await Task.Delay(1200);
        lab.Mark("t06-late");
        TrapTalk.Exchange(lab.A(60), lab.B(60), 10603);
    }

    /// <summary>A job's pod that is there for a second and a half, object and all.</summary>
    private static async Task HurryAsync(TrapLab lab)
    {
        lab.Mark("t07-before");
        await Task.Delay(1100);
        var born = DateTimeOffset.UtcNow;
        var owner = new FakeOwner("batch/v1", "Job", "t07-job", "job-uid-t07");
        var pod = lab.East.Pod("t07-job-x7k2p", "10.10.1.70", one => one with
        {
            Created = born, Started = born, Owner = owner, Phase = "Pending", Addresses = [], RestartPolicy = "Never",
        });
        await Task.Delay(200);
        lab.East.Put(pod with { Phase = "Running", Addresses = ["10.10.1.70"] });
        TrapTalk.Exchange(lab.A(70), lab.B(70), 10700);
        lab.Mark("t07-alive");
        await Task.Delay(800);
        var done = pod with { Phase = "Succeeded", Addresses = ["10.10.1.70"], Finished = DateTimeOffset.UtcNow };
        lab.East.Put(done);
        lab.East.Delete(done);
        await Task.Delay(1100);

        // Its address is nobody's now, and somebody uses it.
        lab.Mark("t07-after");
        TrapTalk.Exchange(lab.A(70), lab.B(70), 10701);
    }

    private static async Task RelabelAsync(TrapLab lab)
    {
        var pod = lab.East.Pod("t17-client", "10.10.1.170", one => one with { Labels = Blue });
        using (var connection = TrapTalk.Open(lab.A(170), lab.B(170), 11700))
        {
            lab.Mark("t17-blue");
            connection.Speak();
            await Task.Delay(500);
            lab.East.Put(pod with { Labels = Green });
            await Task.Delay(1000);
            connection.Speak();
        }

        lab.Mark("t17-green");
        TrapTalk.Exchange(lab.A(170), lab.B(170), 11700);
    }

    private static void Rest(TrapLab lab)
    {
        TrapTalk.Exchange(lab.A(160), lab.B(160), 11600);
        TrapTalk.Exchange(lab.West1(160), lab.West2(160), 11600);
        TrapTalk.Exchange(lab.West1(160), lab.West2(160), 11600);
        TrapTalk.Exchange(lab.A(210), lab.B(210), 12100);
        TrapTalk.Exchange(lab.A(211), lab.B(210), 12101);
    }

    [Fact]
    public async Task T06_an_address_reused_within_a_second_is_the_one_the_other_or_doubt_and_never_the_wrong_one()
    {
        // Times of the API are cut to seconds, so within the second of the change both claim the address: that is said, and nobody is chosen.
        await run.HoldsAsync(
            6,
            "pod shop/t06-first -> pod shop/t06-server tcp/10600 | 1 answered | as_of as_of | node-a node-b",
            "ambiguous pod shop/t06-first | pod shop/t06-second -> pod shop/t06-server tcp/10601 | 1 answered | ambiguous as_of | node-a node-b",
            "pod shop/t06-second -> pod shop/t06-server tcp/10602 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t06-second -> pod shop/t06-server tcp/10603 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t06-first -> pod shop/t06-server tcp/10604 | 1 answered | as_of as_of | node-a node-b");
        var outlived = await run.AskAsync("SELECT src_name, window_no FROM flow_log WHERE dst_port = 10604 AND node = 'node-a' ORDER BY window_no");
        Assert.Equal(["t06-first 0", "t06-first 1"], outlived.Select(row => $"{row.GetProperty("src_name").GetString()} {row.GetProperty("window_no")}"));
        Assert.Equal(["t06-first"], await run.NamesAsync("east", "10.10.1.60", run.Lab.Times["t06-early"]));
        Assert.Contains("t06-first", await run.NamesAsync("east", "10.10.1.60", run.Lab.Times["t06-last"]));
        Assert.Contains("t06-second", await run.NamesAsync("east", "10.10.1.60", run.Lab.Times["t06-next"]));
        Assert.Equal(["t06-second"], await run.NamesAsync("east", "10.10.1.60", run.Lab.Times["t06-late"]));
    }

    [Fact]
    public async Task T07_the_pod_of_a_job_that_lived_two_seconds_is_named_and_ends_with_its_object()
    {
        await run.HoldsAsync(
            7,
            "pod shop/t07-job-x7k2p -> pod shop/t07-server tcp/10700 | 1 answered | as_of as_of | node-a node-b",
            "unknown 10.10.1.70 -> pod shop/t07-server tcp/10701 | 1 answered | unknown as_of | node-a node-b");
        var held = Assert.Single(await run.WhoAsync("east", "10.10.1.70", run.Lab.Times["t07-alive"]));
        Assert.Equal(("Job", "t07-job"), (held.GetProperty("workload_kind").GetString(), held.GetProperty("workload").GetString()));
        Assert.Empty(await run.NamesAsync("east", "10.10.1.70", run.Lab.Times["t07-before"]));
        Assert.Empty(await run.NamesAsync("east", "10.10.1.70", run.Lab.Times["t07-after"]));
    }

    [Fact]
    public async Task T16_one_address_in_two_clusters_is_two_pods()
    {
        await run.HoldsAsync(
            16,
            "pod shop/t16-client-east -> pod shop/t16-server-east tcp/11600 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t16-client-west -> pod shop/t16-server-west tcp/11600 | 2 answered | as_of as_of | west-1 west-2");
        var now = TimeProvider.System.NowUs();
        Assert.Equal(["t16-client-east"], await run.NamesAsync("east", "10.10.1.160", now));
        Assert.Equal(["t16-client-west"], await run.NamesAsync("west", "10.10.1.160", now));
    }

    [Fact]
    public async Task T17_labels_that_change_while_a_connection_lasts_are_told_as_then()
    {
        await run.HoldsAsync(17, "pod shop/t17-client -> pod shop/t17-server tcp/11700 | 2 answered | as_of as_of | node-a node-b");
        foreach (var (when, track) in new[] { ("t17-blue", "blue"), ("t17-green", "green") })
        {
            var held = Assert.Single(await run.WhoAsync("east", "10.10.1.170", run.Lab.Times[when]));
            Assert.Equal(("t17-client", track), (held.GetProperty("name").GetString(), held.GetProperty("labels").GetProperty("track").GetString()));
        }
    }

    [Fact]
    public async Task T21_the_object_of_an_ended_pod_holds_no_address()
    {
        await run.HoldsAsync(
            21,
            "pod shop/t21-heir -> pod shop/t21-server tcp/12100 | 1 answered | as_of as_of | node-a node-b",
            "unknown 10.10.1.211 -> pod shop/t21-server tcp/12101 | 1 answered | unknown as_of | node-a node-b");
        var now = TimeProvider.System.NowUs();
        Assert.Equal(["t21-done"], await run.NamesAsync("east", "10.10.1.210", now - (180 * UnixTime.Second)));
        Assert.Empty(await run.NamesAsync("east", "10.10.1.211", now));
    }
}
