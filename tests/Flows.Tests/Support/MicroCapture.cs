using System.Buffers.Binary;
using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>
/// A capture as microservices would make it, with the list of connections that are in it: services called over TCP and UDP, DNS,
/// refused and unanswered scans, long sessions, IPv6, and on wish ports that are used again soon after, tags, tunnels and fragments.
/// </summary>
internal sealed class MicroCapture
{
    private const long StartUs = 1_760_000_000_000_000;
    private const int Pods = 400;
    private const int Services = 40;

    private static readonly ushort[] ServicePorts = [80, 8080, 8443, 5432, 6379, 9092, 3306, 50051];

    private readonly Random random;
    private readonly MicroOptions options;
    private readonly ushort[] nextPort = new ushort[Pods];
    private readonly List<(long TimeUs, Connection Of, bool Forward, byte[] Transport)> packets = [];
    private readonly Queue<Connection> closed = new();

    public MicroCapture(MicroOptions options)
    {
        this.options = options;
        random = new Random(options.Seed);
        Array.Fill(nextPort, (ushort)32768);
        long time = StartUs;
        for (var number = 0; number < options.Connections; number++)
        {
            time += random.Next(24_000);
            Connections.Add(Talk(NewConnection(time)));
        }
    }

    /// <summary>The truth: what every connection sent and received, by its initiator's view.</summary>
    public List<Connection> Connections { get; } = [];

    /// <summary>Later fragments of tunnels' outer packets in the capture last written: they belong to no connection.</summary>
    public int TunnelFragments { get; private set; }

    /// <summary>The capture as a pcap file.</summary>
    public MemoryStream ToPcap()
    {
        var file = new MemoryStream();
        Span<byte> header = stackalloc byte[24];
        WriteWords(header, 0xA1B2C3D4, 0x0004_0002, 0, 0, (uint)options.Snaplen, LinkType.Ethernet);
        file.Write(header);
        TunnelFragments = 0;
        var number = 0;
        foreach (var (timeUs, connection, forward, transport) in packets.OrderBy(packet => packet.TimeUs))
        {
            foreach (var frame in FramesOf(connection, forward, transport, number++))
            {
                var captured = Math.Min(frame.Length, options.Snaplen);
                WriteWords(header, (uint)(timeUs / 1_000_000), (uint)(timeUs % 1_000_000), (uint)captured, (uint)frame.Length);
                file.Write(header[..16]);
                file.Write(frame, 0, captured);
            }
        }

        file.Position = 0;
        return file;
    }

    private IEnumerable<byte[]> FramesOf(Connection connection, bool forward, byte[] transport, int number)
    {
        var (from, to) = forward ? (connection.Src, connection.Dst) : (connection.Dst, connection.Src);
        var encap = options.Vlan ? Encap.Vlan : options.Encap.For(number);
        var outermost = Encaps.Outermost(Frames.Ip(from, to, connection.Protocol, transport), encap);
        var fragments = options.Mtu == 0 ? [outermost] : Tunnels.Fragment(outermost, options.Mtu, id: (uint)number);
        TunnelFragments += encap.IsTunnel() ? fragments.Count - 1 : 0;

        // Fragments take different ways: those of every second packet arrive last one first.
        return (number % 2 == 0 ? fragments : Enumerable.Reverse(fragments)).Select(ip => Encaps.Frame(ip, encap));
    }

    private static void WriteWords(Span<byte> to, params ReadOnlySpan<uint> words)
    {
        for (var word = 0; word < words.Length; word++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(to[(4 * word)..], words[word]);
        }
    }

    private Connection NewConnection(long timeUs)
    {
        var client = random.Next(Pods);
        var service = random.Next(Services);
        var server = (service + (Services * random.Next(Pods / Services))) % Pods;
        server = server == client ? (server + 1) % Pods : server;
        var six = random.NextDouble() < 0.2;
        var kind = random.NextDouble() switch
        {
            < 0.60 => Kind.Tcp,
            < 0.63 => Kind.TcpReset,
            < 0.85 => Kind.Dns,
            < 0.92 => Kind.Udp,
            < 0.96 => Kind.Refused,
            < 0.99 => Kind.Unanswered,
            _ => Kind.Long,
        };
        var port = kind switch { Kind.Dns => (ushort)53, Kind.Refused or Kind.Unanswered => (ushort)random.Next(1, 32768), _ => ServicePorts[service % ServicePorts.Length] };
        var connection = new Connection
        {
            Src = Address(client, six),
            Dst = Address(server, six),
            SrcPort = nextPort[client]++,
            DstPort = port,
            Protocol = kind is Kind.Dns or Kind.Udp ? IpProtocol.Udp : IpProtocol.Tcp,
            Kind = kind,
            TimeUs = timeUs,
            Sequences = ((uint)random.NextInt64(uint.MaxValue), (uint)random.NextInt64(uint.MaxValue)),
        };
        if (kind == Kind.Tcp && random.NextDouble() < options.Reuse && closed.TryPeek(out var old) && old.TimeUs + 1_000_000 < timeUs)
        {
            closed.Dequeue();
            (connection.Src, connection.Dst, connection.SrcPort, connection.DstPort) = (old.Src, old.Dst, old.SrcPort, old.DstPort);
        }

        return connection;
    }

    private Connection Talk(Connection connection)
    {
        switch (connection.Kind)
        {
            case Kind.Dns or Kind.Udp:
                for (var turn = connection.Kind == Kind.Dns ? 1 : random.Next(1, 6); turn > 0; turn--)
                {
                    Send(connection, forward: true, 0, random.Next(40, 400));
                    Send(connection, forward: false, 0, random.Next(60, 400));
                }

                break;
            case Kind.Refused:
                Send(connection, forward: true, TcpFlags.Syn);
                Send(connection, forward: false, TcpFlags.Rst | TcpFlags.Ack);
                break;
            case Kind.Unanswered:
                Send(connection, forward: true, TcpFlags.Syn);
                connection.Sequences.Fwd--;
                connection.TimeUs += 1_000_000;
                Send(connection, forward: true, TcpFlags.Syn);
                break;
            default:
                Converse(connection);
                if (connection.Kind != Kind.Long)
                {
                    closed.Enqueue(connection);
                }

                break;
        }

        return connection;
    }

    private void Converse(Connection connection)
    {
        Send(connection, forward: true, TcpFlags.Syn);
        Send(connection, forward: false, TcpFlags.Syn | TcpFlags.Ack);
        Send(connection, forward: true, TcpFlags.Ack);
        for (var turn = connection.Kind == Kind.Long ? random.Next(50, 150) : random.Next(1, 5); turn > 0; turn--)
        {
            Send(connection, forward: true, TcpFlags.Ack, random.Next(80, 600));
            Send(connection, forward: false, TcpFlags.Ack, random.Next(100, 1400));
            connection.TimeUs += connection.Kind == Kind.Long ? 2_000_000 : 0;
        }

        if (connection.Kind == Kind.TcpReset)
        {
            Send(connection, forward: false, TcpFlags.Rst | TcpFlags.Ack);
            return;
        }

        Send(connection, forward: true, TcpFlags.Fin | TcpFlags.Ack);
        Send(connection, forward: false, TcpFlags.Fin | TcpFlags.Ack);
        Send(connection, forward: true, TcpFlags.Ack);
    }

    private void Send(Connection connection, bool forward, byte flags, int payload = 0)
    {
        var (from, to) = forward ? (connection.SrcPort, connection.DstPort) : (connection.DstPort, connection.SrcPort);
        ref var sequence = ref forward ? ref connection.Sequences.Fwd : ref connection.Sequences.Rev;
        var acknowledged = forward ? connection.Sequences.Rev : connection.Sequences.Fwd;
        var transport = connection.Protocol == IpProtocol.Udp ? Frames.Udp(from, to, payload) : Frames.Tcp(from, to, flags, sequence, acknowledged, payload);
        sequence += (uint)payload + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0);
        Count(connection, forward, transport.Length);
        packets.Add((connection.TimeUs, connection, forward, transport));
        connection.TimeUs += random.Next(50, 1000);
    }

    /// <summary>Adds what the packet will be on the wire to the truth: itself, or its fragments where nothing encloses it.</summary>
    private void Count(Connection connection, bool forward, int transportBytes)
    {
        var ip = new byte[(connection.Src.IsV4 ? 20 : 40) + transportBytes];
        ip[0] = connection.Src.IsV4 ? (byte)0x45 : (byte)0x60;
        var isCut = options.Mtu != 0 && !options.Encap.IsTunnel();
        foreach (var packet in isCut ? Tunnels.Fragment(ip, options.Mtu, id: 0) : [ip])
        {
            connection.Count(forward, packet.Length);
        }
    }

    private static NetAddress Address(int pod, bool six) =>
        six ? new NetAddress(0xFD00_0010_0244_0000, (ulong)pod) : NetAddress.FromV4(0x0AF4_0000 | (uint)pod);

    internal enum Kind
    {
        Tcp,
        TcpReset,
        Dns,
        Udp,
        Refused,
        Unanswered,
        Long,
    }

    internal sealed class Connection
    {
        public NetAddress Src;
        public NetAddress Dst;
        public ushort SrcPort;
        public ushort DstPort;
        public byte Protocol;
        public Kind Kind;
        public long TimeUs;
        public (uint Fwd, uint Rev) Sequences;
        public ConnectionTotals Totals;

        public ConnectionTotals Truth => Totals with { Src = Src, Dst = Dst, SrcPort = SrcPort, DstPort = DstPort, Protocol = Protocol };

        public void Count(bool forward, int bytes) => Totals = forward
            ? Totals with { FwdPackets = Totals.FwdPackets + 1, FwdBytes = Totals.FwdBytes + (ulong)bytes }
            : Totals with { RevPackets = Totals.RevPackets + 1, RevBytes = Totals.RevBytes + (ulong)bytes };
    }
}

/// <param name="Connections">How many.</param>
/// <param name="Seed">The same seed gives the same capture.</param>
/// <param name="Snaplen">Bytes captured of each frame.</param>
/// <param name="Vlan">Short for <see cref="Encap.Vlan"/>.</param>
/// <param name="Reuse">Share of TCP connections that take the ports of one that closed more than a second ago.</param>
/// <param name="Encap">How packets travel.</param>
/// <param name="Mtu">Outermost IP packets longer than this are fragmented; 0 for none.</param>
internal sealed record MicroOptions(
    int Connections, int Seed, int Snaplen = 65535, bool Vlan = false, double Reuse = 0, Encap Encap = Encap.Plain, int Mtu = 0);

/// <summary>A connection's key and sums: comparable, sortable, readable when a test fails.</summary>
internal readonly record struct ConnectionTotals(
    NetAddress Src, NetAddress Dst, ushort SrcPort, ushort DstPort, byte Protocol, ulong FwdPackets, ulong RevPackets, ulong FwdBytes, ulong RevBytes);
