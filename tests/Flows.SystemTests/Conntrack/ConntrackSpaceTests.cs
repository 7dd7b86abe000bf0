using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.KernelCluster;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>Further network namespaces, zones, and protocols beside TCP and UDP, on the real kernel.</summary>
public sealed class ConntrackSpaceTests
{
    [Fact]
    public async Task A_further_namespace_is_followed_by_name_and_by_path()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        foreach (var space in new[] { net.Server, $"/run/netns/{net.Server}" })
        {
            using var run = await ConntrackRun.StartAsync(act => act(), new ConntrackSourceOptions { Namespace = space });
            Assert.Equal(SocketError.ConnectionRefused, TryConnect(net, "10.77.0.2", 4444));
            var row = Assert.Single(await run.StopAsync());
            Assert.Equal((FlowState.Refused, ConntrackRun.Point.NodeId), (row.State, row.NodeId));
            Assert.InRange(row.Zone, (ushort)0x8000, ushort.MaxValue);
            Assert.NotNull(run.Coverage($"events@{net.Server}"));
            Assert.Equal([row], run.Replay().Rows);
        }
    }

    [Fact]
    public async Task A_namespace_that_is_not_there_or_not_allowed_is_named()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        var missing = await Assert.ThrowsAsync<FlowsException>(() => SourceOf("no-such-space").RunAsync(CancellationToken.None));
        Assert.Contains("'/run/netns/no-such-space'", missing.Message);
        var none = await Assert.ThrowsAsync<FlowsException>(() => SourceOf("/proc/version").RunAsync(CancellationToken.None));
        Assert.Contains("it is no network namespace", none.Message);
        var forbidden = await Assert.ThrowsAsync<FlowsException>(() => net.InClient(() =>
        {
            ConntrackNetns.DropCapabilities();
            return SourceOf(net.Server).RunAsync(CancellationToken.None);
        }));
        Assert.Contains("CAP_SYS_ADMIN", forbidden.Message);
    }

    [Fact]
    public async Task Zones_keep_equal_connections_apart_and_their_counters_are_fetched()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        ConntrackNetns.Tool("ip", $"netns exec {net.Server} nft -f -", """
            table inet z {
              chain pre { type filter hook prerouting priority raw; tcp dport 8080 ct zone set 5; udp dport 5353 ct original zone set 7; }
              chain out { type filter hook output priority raw; tcp sport 8080 ct zone set 5; }
            }

            """);
        using var run = await ConntrackRun.StartAsync(net);
        Exchange(net, listener, "10.77.0.2", 8080, 1000, 2000);
        using var udp = net.InServer(() => Answering("10.77.0.2", 5353));
        Ask(net, "10.77.0.2", 5353, udp);
        await ConntrackRun.UntilAsync(() => run.RowCount > 0, () => "the end was not reported");
        var rows = await run.StopAsync();
        var tcp = Assert.Single(rows, row => row.Protocol == IpProtocol.Tcp);
        Assert.Equal((5, FlowState.Closed), (tcp.Zone, tcp.State));
        Assert.True(tcp.FwdBytes > 1000 && tcp.RevBytes > 2000, "counters of the zone's entry");
        var asked = Assert.Single(rows, row => row.Protocol == IpProtocol.Udp);
        Assert.Equal(((ushort)7, (ulong?)1, (ulong?)1, FlowState.Established), (asked.Zone, asked.FwdPackets, asked.RevPackets, asked.State));
    }

    [Fact]
    public async Task Echoes_and_SCTP_are_followed_in_both_families()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var run = await ConntrackRun.StartAsync(net);
        net.InClient(() =>
        {
            Echo(AddressFamily.InterNetwork, ProtocolType.Icmp, "10.77.0.2", 8);
            Echo(AddressFamily.InterNetworkV6, ProtocolType.IcmpV6, "fd77::2", 128);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Raw);
            socket.SendTo(SctpInit(), new IPEndPoint(IPAddress.Parse("10.77.0.2"), 0));
            return 0;
        });
        await ConntrackRun.UntilAsync(() => run.Source.Connections + run.RowCount >= 3, () => $"{run.Source.Connections} connections");
        var rows = await run.StopAsync();
        var four = Assert.Single(rows, row => row.Protocol == IpProtocol.Icmp);
        Assert.Equal(((ushort?)0x0800, 1UL, 1UL, FlowState.Established), (four.IcmpTypeCode, four.FwdPackets, four.RevPackets, four.State));
        var six = Assert.Single(rows, row => row.Protocol == IpProtocol.IcmpV6 && row.IcmpTypeCode == 0x8000);
        Assert.Equal((DirectionBy.CtNew, "fd77::2", 1UL), (six.DirectionBy, six.Dst.ToString(), six.RevPackets));
        var sctp = Assert.Single(rows, row => row.Protocol == IpProtocol.Sctp);
        Assert.Equal((40_000, 3868, FlowState.Unanswered, DirectionBy.CtNew), (sctp.SrcPort, sctp.DstPort, sctp.State, sctp.DirectionBy));
    }

    private static ConntrackSource SourceOf(string space) => new(
        ConntrackRun.Point, (in FlowRow _) => { }, new HopAccount("conntrack", "events"), TimeProvider.System, new ConntrackSourceOptions { Namespace = space });

    private static void Echo(AddressFamily family, ProtocolType protocol, string address, byte type)
    {
        using var socket = new Socket(family, SocketType.Raw, protocol) { ReceiveTimeout = 3000 };
        byte[] echo = [type, 0, 0, 0, 0, 77, 0, 1, 1, 2, 3, 4];
        if (type == 8)
        {
            // The kernel fills in that of ICMPv6 only.
            BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(2), InternetChecksum.Of(echo));
        }

        socket.SendTo(echo, new IPEndPoint(IPAddress.Parse(address), 0));
        socket.Receive(new byte[200]);
    }

    /// <summary>An IP packet with an INIT chunk (RFC 9260 3.3.2), its CRC32c in little endian as section 6.8 wants it.</summary>
    private static byte[] SctpInit()
    {
        byte[] packet =
        [
            0x9C, 0x40, 0x0F, 0x1C, 0, 0, 0, 0, 0, 0, 0, 0,
            1, 0, 0, 20, 0, 0, 0, 9, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 5,
        ];
        var crc = uint.MaxValue;
        foreach (var one in packet)
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(8), ~crc);

        // Raw sockets of this kind want the IP header; the kernel fills in length, identification and checksum.
        return [0x45, 0, 0, 0, 0, 0, 0, 0, 64, IpProtocol.Sctp, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, .. packet];
    }
}
