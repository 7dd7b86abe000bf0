using System.Net;
using System.Net.NetworkInformation;
using PacketDotNet;

namespace Flows.SystemTests.Capture;

/// <summary>Frames built by PacketDotNet, which knows nothing of our decoder.</summary>
internal static class TestFrames
{
    private static readonly PhysicalAddress Source = PhysicalAddress.Parse("02-00-00-00-00-01");
    private static readonly PhysicalAddress Destination = PhysicalAddress.Parse("02-00-00-00-00-02");

    public static byte[] Udp(ushort srcPort, ushort dstPort, int payloadBytes, params ushort[] vlans)
    {
        var udp = new UdpPacket(srcPort, dstPort) { PayloadData = new byte[payloadBytes] };
        var ip = new IPv4Packet(IPAddress.Parse("10.99.8.1"), IPAddress.Parse("10.99.8.2")) { PayloadPacket = udp };
        ip.UpdateIPChecksum();
        Packet inner = ip;
        var type = EthernetType.IPv4;
        for (var index = vlans.Length - 1; index >= 0; index--)
        {
            inner = new Ieee8021QPacket(new PacketDotNet.Utils.ByteArraySegment(new byte[4])) { PayloadPacket = inner, VlanIdentifier = vlans[index], Type = type };
            type = index == 0 && vlans.Length == 2 ? (EthernetType)0x88A8 : (EthernetType)0x8100;
        }

        return new EthernetPacket(Source, Destination, type) { PayloadPacket = inner }.Bytes;
    }
}
