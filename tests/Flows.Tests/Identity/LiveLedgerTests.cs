using System.Globalization;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Identity;

public sealed class LiveLedgerTests(ITestOutputHelper output)
{
    private const int Pods = 100_000;
    private const long IntervalBytesMax = 1024;

    [Fact]
    public void Change_tells_the_spans_of_its_place_before_and_after()
    {
        var live = new LiveLedger();
        live.Add([Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1), Said.That(Said.Pod("b"), "10.0.0.2", 0, null, 1)]);
        var change = live.Add([Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 60)]);

        var place = Assert.Single(change.Places);
        Assert.Equal("10.0.0.1 in east", place.Place.ToString());
        Assert.Equal((long.MaxValue, 50), (Assert.Single(place.Before).ToUs, Assert.Single(place.After).ToUs));
        Assert.Empty(live.Add([Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 70)]).Places);
    }

    [Fact]
    public void What_ended_long_ago_is_forgotten_and_what_lasts_is_not()
    {
        var live = new LiveLedger();
        live.Add([Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 60), Said.That(Said.Pod("b"), "10.0.0.1", 50, null, 60), Said.That(Said.Pod("c"), "10.0.0.2", 0, 50, 60)]);
        live.Forget(100);

        Assert.Equal(1, live.Count);
        Assert.Equal("b", Assert.Single(live.At("east", NetAddress.Parse("10.0.0.1"), 60).Candidates).Name);
        var late = Said.That(Said.Pod("a"), "10.0.0.1", 0, 40, 200);
        Assert.Equal(Place.Of(late), Assert.Single(live.Unsure([late])));
        Assert.Single(live.Unsure([Said.That(Said.Pod("d"), "10.0.0.3", 99, null, 200)]));
        Assert.Empty(live.Unsure([Said.That(Said.Pod("d"), "10.0.0.3", 100, null, 200), Said.That(Said.Pod("b"), "10.0.0.1", 50, 150, 200)]));
    }

    [Fact]
    public void Interval_takes_less_than_a_kilobyte()
    {
        var live = new LiveLedger();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Fill(live);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Pods;
        GC.KeepAlive(live);

        output.WriteLine($"{each:0} bytes an interval");
        Assert.InRange(each, 1, IntervalBytesMax);
    }

    /// <summary>Pods as a cluster has them, each with texts and labels of its own, as a parser makes them.</summary>
    private static void Fill(LiveLedger live)
    {
        for (var i = 0; i < Pods; i += 100)
        {
            live.Add(Enumerable.Range(i, 100).Select(PodOf));
        }
    }

    private static IdentityInterval PodOf(int number)
    {
        var workload = string.Create(CultureInfo.InvariantCulture, $"checkout-service-{number / 40}");
        var entity = new Entity
        {
            Id = (ulong)number + 1,
            Kind = EntityKind.Pod,
            Scope = new string("production-eu"),
            Uid = new Guid(number, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8).ToString(),
            Cluster = string.Concat("production", "-eu"),
            Namespace = string.Create(CultureInfo.InvariantCulture, $"team-{number / 400}"),
            Name = string.Create(CultureInfo.InvariantCulture, $"{workload}-6d4cf56db6-{number:x5}"),
            WorkloadKind = string.Concat("Deploy", "ment"),
            Workload = workload,
            Node = string.Create(CultureInfo.InvariantCulture, $"ip-10-20-{number % 1000 / 250}-{number % 250}.eu-central-1.compute.internal"),
            Labels = new Dictionary<string, string>
            {
                [string.Concat("app.kubernetes.io/", "name")] = string.Concat("checkout", "-service"),
                [string.Concat("app.kubernetes.io/", "instance")] = string.Concat(workload),
                [string.Concat("app.kubernetes.io/", "managed-by")] = string.Concat("He", "lm"),
                [string.Concat("pod-template", "-hash")] = string.Concat("6d4cf", "56db6"),
                [string.Concat("te", "am")] = string.Create(CultureInfo.InvariantCulture, $"team-{number / 400}"),
                [string.Concat("ti", "er")] = string.Concat("back", "end"),
            },
        };
        return Some.Identity(entity, $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}", Some.TimeUs + number) with { Origin = string.Concat("kuber", "netes") };
    }
}
