using System.Globalization;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

/// <summary>Random lives of pods while everything goes wrong, against a list of what really was.</summary>
public sealed class WatchOracleTests
{
    /// <summary>What really was: who held an address from when to when, on this machine's clock.</summary>
    private sealed record Life(FakePod Pod, string Address, long FromUs)
    {
        public long ToUs { get; set; } = long.MaxValue;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Timeline_is_what_was_under_duplicates_resets_expiry_and_missed_deletions(int round)
    {
        var seed = Environment.TickCount ^ (round << 16);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var server = await FakeApiServer.StartAsync();
        server.Faults.CloseWatchAfter = TimeSpan.FromMilliseconds(400);
        server.Faults.Duplicates = round;
        server.Faults.BookmarkEvery = TimeSpan.FromMilliseconds(150);
        var lives = new List<Life>();
        await using var watched = await Watched.StartAsync(server);
        for (var step = 0; step < 600; step++)
        {
            Step(server, lives, random, step);
            if (random.Next(4) == 0)
            {
                await Task.Delay(random.Next(20), TestContext.Current.CancellationToken);
            }
        }

        // A late copy about a pod whose whole life fell between two lists is news to the watcher: the next list ends it, and nothing sooner could.
        server[FakeResource.Pods].PutSilently("shop/nobody", null);
        var now = lives.Where(life => life.ToUs == long.MaxValue).Select(life => $"{life.Address}={life.Pod.Uid}").ToHashSet();
        await watched.UntilAsync(() => Now(watched).SetEquals(now), () => $"what is now is known (seed {seed}): {string.Join(' ', Now(watched).Except(now))} instead of {string.Join(' ', now.Except(Now(watched)))}");
        Judge(watched.Said(), lives, random, seed);
        Assert.True(watched.Health(FakeResource.Pods).Lists > 1 && watched.Health(FakeResource.Pods).Watches > 5, "faults were met");
    }

    private static HashSet<string> Now(Watched watched) => [.. watched.Intervals().Where(one => one.ValidToUs is null).Select(one => $"{one.Address}={one.Entity.Uid}")];

    private static void Step(FakeApiServer server, List<Life> lives, Random random, int step)
    {
        var pods = server[FakeResource.Pods];
        var live = lives.Where(life => life.ToUs == long.MaxValue).ToArray();
        var what = random.Next(100);
        if (what < 45 || live.Length < 3)
        {
            // A few addresses and names for many pods: each is used again soon.
            var free = Enumerable.Range(1, 20).Select(number => $"10.0.0.{number}").Except(live.Select(life => life.Address)).ToArray();
            var name = $"db-{random.Next(12)}";
            if (free.Length > 0 && live.All(life => life.Pod.Name != name))
            {
                var now = DateTimeOffset.UtcNow;
                var pod = Bench.Pod(name, free[random.Next(free.Length)], string.Create(CultureInfo.InvariantCulture, $"uid-{step}")) with { Created = now, Started = now };
                lives.Add(new(pod, pod.Addresses[0], UnixTime.ToUs(now)));
                pods.Put(pod.Key, pod.Json());
            }
        }
        else if (what < 85)
        {
            End(server, live[random.Next(live.Length)], random);
        }
        else
        {
            Fault(server, lives, random, what);
        }
    }

    private static void End(FakeApiServer server, Life life, Random random)
    {
        var pods = server[FakeResource.Pods];
        var now = DateTimeOffset.UtcNow;
        life.ToUs = UnixTime.ToUs(now);
        var done = life.Pod with { Phase = "Succeeded", Finished = now, RestartPolicy = "Never" };
        switch (random.Next(4))
        {
            case 0:
                // It ends, and its object goes on showing the address until it is replaced or deleted.
                pods.Put(done.Key, done.Json());
                break;
            case 1:
                pods.Put(done.Key, done.Json());
                pods.Delete(done.Key);
                break;
            case 2:
                pods.Delete(life.Pod.Key);
                pods.Replay("MODIFIED", life.Pod.Json());
                pods.Replay("DELETED", life.Pod.Json());
                break;
            default:
                pods.Delete(life.Pod.Key);
                break;
        }
    }

    private static void Fault(FakeApiServer server, List<Life> lives, Random random, int what)
    {
        var pods = server[FakeResource.Pods];
        if (what < 90)
        {
            server.ResetConnections();
        }
        else if (what < 94)
        {
            server.Faults.ExpireWatches = 1;
        }
        else if (what < 97)
        {
            pods.Replay("MODIFIED", lives[random.Next(lives.Count)] is { ToUs: < long.MaxValue } dead ? dead.Pod.Json() : lives.First(life => life.ToUs < long.MaxValue || life == lives[^1]).Pod.Json());
        }
        else if (lives.LastOrDefault(life => life.ToUs == long.MaxValue) is { } life)
        {
            // A deletion that no watch tells, and a version that no watch can begin at.
            life.ToUs = UnixTime.ToUs(DateTimeOffset.UtcNow);
            pods.PutSilently(life.Pod.Key, null);
            server.ResetConnections();
        }
    }

    /// <summary>At random moments of random lives, the answer names the one who held the address, alone or among others.</summary>
    private static void Judge(IReadOnlyList<IdentityInterval> said, List<Life> lives, Random random, int seed)
    {
        var ledger = Ledger.Empty.Add(said);
        var told = said.Select(one => one.Entity.Uid).ToHashSet();
        var (alone, doubtful) = (0, 0);
        for (var probe = 0; probe < 5000; probe++)
        {
            var life = lives[random.Next(lives.Count)];
            var toUs = Math.Min(life.ToUs, UnixTime.ToUs(DateTimeOffset.UtcNow));
            var atUs = life.FromUs + (long)((toUs - life.FromUs) * random.NextDouble());
            if (!told.Contains(life.Pod.Uid) || atUs >= toUs)
            {
                // It came and went between two lists, so nobody ever told us of it.
                continue;
            }

            var answer = ledger.At("lab", NetAddress.Parse(life.Address), atUs);
            Assert.True(answer.Candidates.Any(one => one.Uid == life.Pod.Uid), $"seed {seed}: {life.Address} at {UnixTime.Text(atUs)} was {life.Pod.Uid}, not {string.Join('|', answer.Candidates.Select(one => one.Uid))}");
            (alone, doubtful) = answer.Candidates.Count == 1 ? (alone + 1, doubtful) : (alone, doubtful + 1);
        }

        Assert.True(alone > 0, $"seed {seed}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{lives.Count} lives, {alone} sure answers, {doubtful} ambiguous");
    }
}
