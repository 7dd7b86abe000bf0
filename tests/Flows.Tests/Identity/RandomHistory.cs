using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Tests.Identity;

/// <summary>
/// What happens to a handful of addresses within some hours, as inventories tell it: pods that follow each other within a second, Jobs that
/// keep their address, hostNetwork, dual stack, ends that nobody saw, clocks that are off, withdrawals, hosts, files, DNS and ranges beside.
/// </summary>
internal sealed class RandomHistory
{
    public const string Scope = "lab";
    public static readonly string[] Addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.9", "2001:db8::1", "2001:db8::2"];
    private static readonly string[] Ranges = ["10.0.0.0/8", "10.0.0.0/29", "2001:db8::/64"];
    private const long Second = UnixTime.Second;

    private readonly Random random;
    private readonly long spanUs;
    private readonly List<IdentityInterval> statements = [];

    public RandomHistory(Random random, long startUs, long spanUs, int stories)
    {
        (this.random, StartUs, this.spanUs) = (random, startUs, spanUs);
        for (var i = 0; i < stories; i++)
        {
            Tell(i);
        }

        // Nothing is learned twice in one microsecond, except what is heard twice.
        var heard = statements.Select((said, i) => said with { LearnedAtUs = (said.LearnedAtUs / 1000 * 1000) + i }).ToList();
        heard.AddRange(heard.Where(_ => random.Next(8) == 0).ToList());

        // What is said again later is no news, and comes in order: see "second import" in the design.
        var again = heard.Where(_ => random.Next(8) == 0).Select((said, i) => said with { LearnedAtUs = said.LearnedAtUs + (random.Next(1, 1000) * Second) + 500 + i }).OrderBy(said => said.LearnedAtUs);
        Deliveries = [.. Deliver([.. heard.OrderBy(said => said.LearnedAtUs)]), .. again.Select(said => (IdentityInterval[])[said])];
    }

    public long StartUs { get; }

    /// <summary>The statements in the order in which they arrive, in batches; most in order, some long after.</summary>
    public IReadOnlyList<IdentityInterval[]> Deliveries { get; }

    /// <summary>The moments at which something changes, and those beside them.</summary>
    public IReadOnlyList<long> Moments(IEnumerable<IdentityInterval> said) =>
        [.. said.SelectMany(one => new[] { one.ValidFromUs, one.ValidToUs ?? one.ValidFromUs + Second }).SelectMany(at => new[] { at - 1, at, at + 1 }).Append(StartUs + spanUs).Distinct().Order()];

    /// <summary>The answer by the plainest reading of all statements: the last about each interval, the longest prefix, the highest origin.</summary>
    public static (ResolvedBy By, ulong Entity) Truth(IReadOnlyCollection<IdentityInterval> said, string address, long timeUs)
    {
        var asked = NetAddress.Parse(address).ToBytes();
        var holders = said.GroupBy(one => one.IntervalId).Select(interval => interval.MaxBy(one => one.LearnedAtUs)!)
            .Where(one => one.RevokedAtUs is null && one.ValidFromUs <= timeUs && (one.ValidToUs is not { } end || timeUs < end) && Covers(one, asked)).ToList();
        if (holders.Count == 0)
        {
            return (ResolvedBy.Unknown, 0);
        }

        var longest = holders.Where(one => one.PrefixLength == holders.Max(other => other.PrefixLength)).ToList();
        var ids = longest.Where(one => Origins.RankOf(one.Origin) == longest.Max(other => Origins.RankOf(other.Origin))).Select(one => one.Entity.Id).Distinct().ToList();
        return ids.Count > 1 ? (ResolvedBy.Ambiguous, Entity.IdOfAmbiguous(ids)) : (longest[0].PrefixLength == 128 ? ResolvedBy.AsOf : ResolvedBy.Cidr, ids[0]);
    }

    private static bool Covers(IdentityInterval said, byte[] asked) => Enumerable.Range(0, said.PrefixLength)
        .All(bit => ((said.Address.ToBytes()[bit / 8] ^ asked[bit / 8]) & (0x80 >> (bit % 8))) == 0);

    private void Tell(int number)
    {
        var from = StartUs + (random.NextInt64(spanUs / Second) * Second) + random.Next(3) * 300_000;
        var address = Addresses[random.Next(Addresses.Length)];
        switch (random.Next(9))
        {
            case 0:
                // A name that is used again by another pod, within the second.
                var end = from + random.Next(1, 600) * Second;
                Say(Pod($"old{number}", "web-0"), address, from, end, Origins.Kubernetes);
                Say(Pod($"new{number}", "web-0"), address, end + random.Next(-2, 2) * 400_000, random.Next(2) == 0 ? null : end + 900 * Second, Origins.Kubernetes);
                break;
            case 1:
                // A finished Job: its object stays, and is relabelled.
                var job = Say(Pod($"job{number}", "job"), address, from, from + random.Next(1, 60) * Second, Origins.Kubernetes);
                statements.Add(job with { LearnedAtUs = job.LearnedAtUs + 5 * Second, Entity = job.Entity with { Labels = new Dictionary<string, string> { ["done"] = "yes" } } });
                break;
            case 2:
                // The node's address, its hostNetwork pods, and both families.
                var node = Named(EntityKind.Node, $"node{number % 2}");
                Say(node, Addresses[2], from, null, Origins.Kubernetes);
                Say(Pod($"proxy{number}", "proxy") with { HostNetwork = true }, Addresses[2], from + random.Next(60) * Second, random.Next(2) == 0 ? null : from + 200 * Second, Origins.Kubernetes);
                break;
            case 3:
                var dual = Pod($"dual{number}", "dual");
                long? both = random.Next(2) == 0 ? null : from + random.Next(1, 2000) * Second;
                Say(dual, Addresses[0], from, both, Origins.Kubernetes);
                Say(dual, Addresses[3], from, both, Origins.Kubernetes);
                break;
            case 4:
                // Gone while nobody watched: the end is no later than the relist, and the next holder is there before.
                var relist = from + random.Next(30, 4000) * Second;
                statements.Add(Say(Pod($"lost{number}", "lost"), address, from, null, Origins.Kubernetes) with { ValidToUs = relist, EndUncertain = true, LearnedAtUs = relist });
                Say(Pod($"heir{number}", "heir"), address, relist - random.Next(1, 20) * Second, null, Origins.Kubernetes);
                break;
            case 5:
                var wrong = Say(Pod($"ghost{number}", "ghost"), address, from, null, Origins.Kubernetes);
                statements.Add(wrong with { RevokedAtUs = from + 50 * Second, LearnedAtUs = wrong.LearnedAtUs + random.Next(1, 3000) * Second });
                break;
            case 6:
                Say(Named(EntityKind.Host, $"host{number % 3}"), address, from, random.Next(2) == 0 ? null : from + random.Next(1, 3000) * Second, Origins.Host);
                break;
            case 7:
                Say(Named(EntityKind.Vm, $"vm{number % 3}"), address, from, random.Next(3) == 0 ? null : from + random.Next(1, 3000) * Second, random.Next(2) == 0 ? Origins.File : Origins.Dns);
                break;
            default:
                Say(Named(EntityKind.Cidr, $"net{number % 4}"), Ranges[random.Next(Ranges.Length)], from, random.Next(2) == 0 ? null : from + random.Next(1, 5000) * Second, Origins.Cidr);
                break;
        }
    }

    /// <summary>Opens at once or late, and closes with a second statement; the witness's clock may be off by two seconds.</summary>
    private IdentityInterval Say(Entity entity, string range, long from, long? to, string origin)
    {
        from += random.Next(-2, 3) * Second;
        var lag = random.Next(6) == 0 ? random.Next(7200) * Second : random.Next(3) * 700_000;
        var open = Said.That(entity, range, from, null, from + lag, origin: origin);
        statements.Add(open);
        if (to is not { } end)
        {
            return open;
        }

        var closed = open with { ValidToUs = Math.Max(end, from + 1), LearnedAtUs = Math.Max(end, from + lag) + (random.Next(6) == 0 ? random.Next(7200) * Second : random.Next(3) * 700_000) + 1000 };
        statements.Add(closed);
        return closed;
    }

    private List<IdentityInterval[]> Deliver(List<IdentityInterval> heard)
    {
        for (var i = 0; i < heard.Count; i++)
        {
            // Some wait in a queue somewhere, far or near.
            var to = random.Next(5) == 0 ? random.Next(heard.Count) : Math.Min(heard.Count - 1, i + random.Next(2));
            (heard[i], heard[to]) = (heard[to], heard[i]);
        }

        List<IdentityInterval[]> batches = [];
        for (var i = 0; i < heard.Count;)
        {
            var size = random.Next(1, 6);
            batches.Add([.. heard.Skip(i).Take(size)]);
            i += size;
        }

        return batches;
    }

    private static Entity Pod(string uid, string name) => Said.Pod(uid, Scope) with { Name = name };

    private static Entity Named(EntityKind kind, string name) => Said.Of(kind, name, Scope);
}
