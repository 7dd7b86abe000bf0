using BenchmarkDotNet.Attributes;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;

namespace Flows.Benchmarks.Micro;

/// <summary>One frame from its bytes to what tracking needs of it, by what wraps it.</summary>
[MemoryDiagnoser]
public class DecodeBenchmarks
{
    private static readonly NetAddress A4 = NetAddress.FromV4(0x0A00_0001), B4 = NetAddress.FromV4(0x0A00_0002);
    private static readonly NetAddress A6 = new(0xFD00_0000_0000_0000, 1), B6 = new(0xFD00_0000_0000_0000, 2);

    private readonly byte[] tcp4 = Frames.Ethernet(Frames.Ip(A4, B4, IpProtocol.Tcp, Frames.Tcp(40000, 443, TcpFlags.Ack)));
    private readonly byte[] tcp6 = Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(40000, 443, TcpFlags.Ack)));
    private readonly byte[] udp4InVlan = Frames.Ethernet(Frames.Ip(A4, B4, IpProtocol.Udp, Frames.Udp(40000, 53, 40)), 0x8100);
    private readonly byte[] udp4InQinQ = Frames.Ethernet(Frames.Ip(A4, B4, IpProtocol.Udp, Frames.Udp(40000, 53, 40)), 0x88A8, 0x8100);
    private readonly byte[] nothing = Frames.Ethernet(Frames.Ip(A4, B4, IpProtocol.Tcp, []))[..30];

    [Benchmark(Baseline = true)]
    public bool Tcp4() => Decode(tcp4);

    [Benchmark]
    public bool Tcp6() => Decode(tcp6);

    [Benchmark]
    public bool Udp4InVlan() => Decode(udp4InVlan);

    [Benchmark]
    public bool Udp4InQinQ() => Decode(udp4InQinQ);

    /// <summary>A frame that ends within its IP header.</summary>
    [Benchmark]
    public bool CutShort() => Decode(nothing);

    private static bool Decode(byte[] frame)
    {
        DecodedPacket packet = default;
        return PacketDecoder.Decode(frame, LinkType.Ethernet, frame.Length, ref packet) == DecodeResult.Ok;
    }
}
