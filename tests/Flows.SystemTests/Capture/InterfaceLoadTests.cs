using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Flows.Capture.Live;
using Flows.Core.Facts;
using Flows.KernelCluster;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>What the kernel hands over, how much of it, and what it could not.</summary>
public sealed class InterfaceLoadTests(ITestOutputHelper output) : IDisposable
{
    private readonly LiveNetns? here = Environment.IsPrivilegedProcess ? new LiveNetns("h") : null;
    private readonly LiveNetns? there = Environment.IsPrivilegedProcess ? new LiveNetns("t") : null;

    [Fact]
    public async Task An_overrun_ring_loses_packets_and_every_one_is_counted()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        var before = here.PacketsOf("eth0");

        // 50 µs a packet are 20,000 packets a second; the ring holds some 8,000.
        var spin = 50 * (Stopwatch.Frequency / 1_000_000);
        void Slow(string name, ReadOnlySpan<byte> frame, int linkType, int wireLength, long timeUs)
        {
            for (var from = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - from < spin;)
            {
            }
        }

        await using var watch = await Watch.StartAsync(here, new InterfaceSourceOptions { Interfaces = ["eth0"], RingBytes = 2 << 20 }, Slow);
        const int Sent = 60_000;
        here.In(() => SendMany("eth0", Sent));
        await watch.StopAsync();

        var report = watch.Account.Report();
        output.WriteLine($"{report.Seen} seen, {report.Dropped["pcap_kernel"]} of them lost in the ring");
        Assert.True(report.Holds);
        Assert.True(report.Dropped["pcap_kernel"] > 1000, "the ring was never full");
        Assert.Equal(here.PacketsOf("eth0") - before, report.Seen);
        Assert.Equal(report.Seen - report.Dropped["pcap_kernel"], watch.FramesOf("eth0"));
        Assert.InRange(report.Seen, Sent, Sent + 10);
    }

    [Fact]
    public async Task Ordinary_packets_are_kept_to_192_bytes_and_answers_of_name_servers_whole()
    {
        Require.RootAnd("ip", "sysctl");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        foreach (var (space, host) in new[] { (here, 1), (there!, 2) })
        {
            space.Run("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0");
            space.Ip($"addr add fd99::{host}/64 dev eth0 nodad");
        }

        var lengths = new List<(int Captured, int Wire)>();
        await using (await Watch.StartAsync(here, new InterfaceSourceOptions { Interfaces = ["eth0"] }, (_, frame, _, wire, _) => lengths.Add((frame.Length, wire))))
        {
            foreach (var family in new[] { "10.99.8", "fd99:" })
            {
                var (mine, theirs) = (IPAddress.Parse(family == "fd99:" ? "fd99::1" : "10.99.8.1"), IPAddress.Parse(family == "fd99:" ? "fd99::2" : "10.99.8.2"));
                Datagram(here, new IPEndPoint(mine, 4000), new IPEndPoint(theirs, 53), 701);
                Datagram(there!, new IPEndPoint(theirs, 53), new IPEndPoint(mine, 4000), 1201);
                Datagram(here, new IPEndPoint(mine, 4000), new IPEndPoint(theirs, 5353), 901);
            }

            await Task.Delay(600, TestContext.Current.CancellationToken);
        }

        foreach (var header in new[] { 14 + 20 + 8, 14 + 40 + 8 })
        {
            Assert.Contains((header + 701, header + 701), lengths);
            Assert.Contains((header + 1201, header + 1201), lengths);
            Assert.Contains((192, header + 901), lengths);
        }
    }

    [Fact]
    public async Task Names_only_hands_over_nothing_but_port_53()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        var options = new InterfaceSourceOptions { Interfaces = ["eth0"], Filter = InterfaceFilter.NamesOnly };
        await using var watch = await Watch.StartAsync(here, options);
        here.In(() => SendMany("eth0", 10));
        Datagram(here, new IPEndPoint(IPAddress.Parse("10.99.8.1"), 4000), new IPEndPoint(IPAddress.Parse("10.99.8.2"), 5353), 100);
        Datagram(here, new IPEndPoint(IPAddress.Parse("10.99.8.1"), 4000), new IPEndPoint(IPAddress.Parse("10.99.8.2"), 53), 300);
        await Task.Delay(600, TestContext.Current.CancellationToken);
        await watch.StopAsync();

        Assert.Equal(53, Assert.Single(watch.Rows).DstPort);
        Assert.Equal(1, watch.Account.Report().Seen);
    }

    [Fact]
    public async Task Tagged_frames_count_like_plain_ones()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0");
        await using var sending = await Watch.StartAsync(here, "eth0");
        await using var receiving = await Watch.StartAsync(there!, "eth0");
        here.In(() =>
        {
            using var socket = new PacketSocket("eth0");
            for (ushort port = 1; port <= 30; port++)
            {
                Assert.True(socket.TrySend(TestFrames.Udp(4000, port, 100, port % 3 == 0 ? [] : port % 3 == 1 ? [7] : [100, 7])));
            }

            return true;
        });
        await Task.Delay(600, TestContext.Current.CancellationToken);
        foreach (var watch in new[] { sending, receiving })
        {
            await watch.StopAsync();
            Assert.Equal(Enumerable.Range(1, 30), watch.Rows.Select(row => (int)row.DstPort).Order());
            Assert.All(watch.Rows, row => Assert.Equal((1UL, 128UL), (row.FwdPackets!.Value, row.FwdBytes!.Value)));
        }
    }

    [Fact]
    public async Task Malformed_frames_are_counted_and_change_nothing()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0");
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var before = there!.PacketsOf("eth0");
        await using var sending = await Watch.StartAsync(here, "eth0");
        await using var watch = await Watch.StartAsync(there, "eth0");
        var (sent, cut) = here.In(() => SendMalformed(new Random(seed), LiveNetns.IsLong ? 1_000_000 : 100_000));
        await Task.Delay(600, TestContext.Current.CancellationToken);
        Assert.True(watch.IsRunning && sending.IsRunning);
        await watch.StopAsync();
        await sending.StopAsync();

        var report = watch.Account.Report();
        output.WriteLine($"{sent} sent: {report.Forwarded} in flows, {string.Join(", ", report.Dropped.Select(one => $"{one.Key} {one.Value}"))}");
        Assert.True(report.Holds);
        Assert.Equal(sent, sending.Account.Report().Seen);

        // A frame that ends within its VLAN tag is dropped by the receiving kernel before anybody can capture it.
        Assert.Equal(there.PacketsOf("eth0") - before - cut, report.Seen);
        Assert.True(report.Dropped.Count >= 5, "the frames were not malformed in many ways");
        Assert.Equal(report.Forwarded, watch.Rows.Sum(row => (long)(row.FwdPackets + row.RevPackets)!.Value));
    }

    public void Dispose()
    {
        here?.Dispose();
        there?.Dispose();
    }

    private static int SendMany(string device, int count)
    {
        using var socket = new PacketSocket(device);
        var frame = TestFrames.Udp(4000, 4001, 20);
        for (var sent = 0; sent < count; sent++)
        {
            Assert.True(socket.TrySend(frame));
        }

        return count;
    }

    private static (long Sent, long Cut) SendMalformed(Random random, int count)
    {
        byte[][] seeds =
        [
            TestFrames.Udp(4000, 53, 100), TestFrames.Udp(1, 2, 1300), TestFrames.Udp(4000, 4789, 60, 7), TestFrames.Udp(5, 6, 0, 100, 7),

            // IPv4 that claims a header of 0 bytes and holds IPv4; IPv6 whose hop-by-hop header leads to itself.
            Convert.FromHexString("020000000002020000000001" + "0800" + "40000014000000004004000001020304050607080000"),
            Convert.FromHexString("020000000002020000000001" + "86DD" + "6000000000400040" + new string('1', 64) + string.Concat(Enumerable.Repeat("0000000000000000", 12))),
        ];
        using var socket = new PacketSocket("eth0");
        var (sent, cut) = (0L, 0L);
        for (var turn = 0; turn < count; turn++)
        {
            var frame = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var flips = random.Next(6); flips > 0; flips--)
            {
                frame[12 + random.Next(Math.Min(frame.Length, 80) - 12)] = (byte)random.Next(256);
            }

            var length = random.Next(4) == 0 ? random.Next(14, frame.Length + 1) : frame.Length;
            if (socket.TrySend(frame.AsSpan(0, length)))
            {
                // skb_vlan_untag (net/core/skbuff.c) wants the tag and two bytes more.
                sent++;
                cut += length < 20 && ((frame[12] << 8) | frame[13]) is (0x8100 or 0x88A8) ? 1 : 0;
            }
        }

        return (sent, cut);
    }

    private static void Datagram(LiveNetns space, IPEndPoint from, IPEndPoint to, int bytes) => space.In(() =>
    {
        using var socket = new UdpClient(from);
        return socket.Send(new byte[bytes], to);
    });
}
