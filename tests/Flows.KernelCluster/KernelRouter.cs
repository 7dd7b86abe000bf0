using System.Diagnostics;
using System.Net;

namespace Flows.KernelCluster;

/// <summary>
/// A router in a network namespace of its own between a namespace that sends and one that takes whatever comes through. All pods' addresses lie behind
/// it; it never answers, so a connection is one packet, and ten thousand of them take a second.
/// </summary>
public sealed class KernelRouter : IDisposable
{
    private const string RouterMac = "02:00:00:00:01:01";
    private const string SinkMac = "02:00:00:00:02:02";
    private const uint Last = uint.MaxValue;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string sender = $"flowspol{Environment.ProcessId}s{Random.Shared.Next(1_000_000)}";
    private readonly string router = $"flowspol{Environment.ProcessId}r{Random.Shared.Next(1_000_000)}";
    private readonly string sink = $"flowspol{Environment.ProcessId}k{Random.Shared.Next(1_000_000)}";
    private readonly PacketSocket sending;
    private readonly FrameListener taking;

    public KernelRouter()
    {
        try
        {
            foreach (var space in (string[])[sender, router, sink])
            {
                Netns.Tool("ip", $"netns add {space}");
            }

            Netns.Tool("ip", $"link add probe netns {sender} type veth peer name in address {RouterMac} netns {router}");
            Netns.Tool("ip", $"link add sink address {SinkMac} netns {sink} type veth peer name out netns {router}");
            Netns.Tool("ip", $"netns exec {router} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.in.rp_filter=0");
            Netns.Tool("ip", $"-n {router} addr add 10.250.1.1/30 dev in");
            Netns.Tool("ip", $"-n {router} addr add 10.250.2.1/30 dev out");
            foreach (var (space, device) in ((string, string)[])[(sender, "probe"), (router, "in"), (router, "out"), (sink, "sink")])
            {
                Netns.Tool("ip", $"netns exec {space} sysctl -qw net.ipv6.conf.{device}.disable_ipv6=1");
                Netns.Tool("ip", $"-n {space} link set {device} up");
            }

            Netns.Tool("ip", $"-n {router} neigh replace 10.250.2.2 lladdr {SinkMac} nud permanent dev out");
            Netns.Tool("ip", $"-n {router} route add default via 10.250.2.2 dev out");
            sending = Netns.In(sender, () => new PacketSocket("probe"));
            taking = Netns.In(sink, () => new FrameListener("sink"));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Loads rules in place of all that were there.</summary>
    public void Load(string rules) => Netns.Tool("ip", $"netns exec {router} nft -f -", "flush ruleset\n" + rules);

    /// <summary>Sends the probes, and says of each whether it came through.</summary>
    public bool[] Send(IReadOnlyList<Probe> probes)
    {
        var mac = RouterMac.Split(':').Select(part => Convert.ToByte(part, 16)).ToArray();
        var arrived = new bool[probes.Count];
        for (var i = 0; i < probes.Count; i++)
        {
            Deliver(probes[i].Frame((uint)i, mac));

            // The kernel's queue between two ends of a link holds a thousand frames.
            if (i % 256 == 255)
            {
                Settle();
            }
        }

        Settle();
        return arrived;

        // A last probe that nobody governs comes after all others.
        void Settle()
        {
            Deliver(new Probe(IPAddress.Parse("198.51.100.1"), IPAddress.Parse("198.51.100.2"), 17, 9).Frame(Last, mac));
            var waited = Stopwatch.StartNew();
            while (true)
            {
                var number = Probe.NumberIn(taking.Take());
                if (number == Last)
                {
                    return;
                }

                if (number is { } one && one < arrived.Length)
                {
                    arrived[one] = true;
                }

                if (waited.Elapsed > Patience)
                {
                    throw new TimeoutException($"The router has not forwarded for {Patience.TotalSeconds:0} s what nobody governs.");
                }
            }
        }
    }

    private void Deliver(ReadOnlySpan<byte> frame)
    {
        if (!sending.TrySend(frame))
        {
            throw new InvalidOperationException("The kernel refused a probe.");
        }
    }

    public void Dispose()
    {
        sending?.Dispose();
        taking?.Dispose();
        foreach (var space in (string[])[sender, router, sink])
        {
            Netns.Delete(space);
        }
    }
}
