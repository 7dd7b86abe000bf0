using System.Buffers.Binary;
using Flows.Core.Facts;
using Flows.KernelCluster;

namespace Flows.Benchmarks.Traffic;

/// <summary>Puts a planned packet into bytes. Checksums of the transport are zero, as an offloading sender's capture has them.</summary>
internal sealed class MicroFrame
{
    private const ushort Ipv4 = 0x0800, Ipv6 = 0x86DD, Vlan = 0x8100, VxlanPort = 4789;

    // Two nodes' underlay of 50 nodes; the pods are in 10.244.0.0/16.
    private const uint NodeNet = 0xAC12_0000, PodNet = 0x0AF4_0000;
    private const int Nodes = 50;

    private readonly byte[] buffer = new byte[2048];
    private readonly byte[] payload = new byte[1500];
    private int at;

    public MicroFrame()
    {
        for (var i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)(0x20 + (i % 90));
        }
    }

    public void WriteTo(PcapFileWriter file, in PlannedPacket packet)
    {
        var talk = packet.Talk;
        var (from, to) = packet.Forward ? (talk.Client, talk.Server) : (talk.Server, talk.Client);
        var transportBytes = (talk.IsUdp ? 8 : 20) + packet.Payload;
        at = 0;
        if (talk.Wrap == Wrap.Vxlan)
        {
            WriteOuter(from % Nodes, to % Nodes, 14 + (talk.IsSix ? 40 : 20) + transportBytes, talk.ClientPort);
        }

        WriteEthernet(from, to, talk.IsSix ? Ipv6 : Ipv4, talk.Wrap == Wrap.Vlan);
        WriteIp(talk.IsSix, talk.IsUdp ? IpProtocol.Udp : IpProtocol.Tcp, transportBytes, PodNet, from, to);
        WriteTransport(in packet);
        payload.AsSpan(0, packet.Payload).CopyTo(buffer.AsSpan(at));
        at += packet.Payload;
        file.Write(buffer.AsSpan(0, at), at, packet.TimeUs);
    }

    private void WriteOuter(int from, int to, int innerBytes, ushort entropy)
    {
        WriteEthernet(0x10000 + from, 0x10000 + to, Ipv4, tagged: false);
        WriteIp(isSix: false, IpProtocol.Udp, 16 + innerBytes, NodeNet, 1 + from, 1 + to);
        Write16(49152 + (entropy & 0x3FFF));
        Write16(VxlanPort);
        Write16(16 + innerBytes);
        Write16(0);
        Write32(0x0800_0000);
        Write32(4096u << 8);
    }

    private void WriteEthernet(int from, int to, ushort type, bool tagged)
    {
        Write16(0x0200);
        Write32((uint)to);
        Write16(0x0200);
        Write32((uint)from);
        if (tagged)
        {
            Write16(Vlan);
            Write16(100);
        }

        Write16(type);
    }

    private void WriteIp(bool isSix, byte protocol, int transportBytes, uint net, int from, int to)
    {
        if (isSix)
        {
            Write32(0x6000_0000);
            Write16(transportBytes);
            Write16((protocol << 8) | 64);
            WriteAddress(from);
            WriteAddress(to);
            return;
        }

        var header = at;
        Write16(0x4500);
        Write16(20 + transportBytes);
        Write32(0x0000_4000);
        Write16((64 << 8) | protocol);
        Write16(0);
        Write32(net | (uint)from);
        Write32(net | (uint)to);
        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(header + 10), InternetChecksum.Of(buffer.AsSpan(header, 20)));
    }

    private void WriteAddress(int pod)
    {
        Write32(0xFD00_0010);
        Write32(0x0244_0000);
        Write32(0);
        Write32((uint)pod);
    }

    private void WriteTransport(in PlannedPacket packet)
    {
        var talk = packet.Talk;
        Write16(packet.Forward ? talk.ClientPort : talk.ServerPort);
        Write16(packet.Forward ? talk.ServerPort : talk.ClientPort);
        if (talk.IsUdp)
        {
            Write16(8 + packet.Payload);
            Write16(0);
            return;
        }

        Write32(packet.Sequence);
        Write32(packet.Acknowledged);
        Write16(0x5000 | packet.Flags);
        Write16(64240);
        Write32(0);
    }

    private void Write16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(at), (ushort)value);
        at += 2;
    }

    private void Write32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(at), value);
        at += 4;
    }
}
