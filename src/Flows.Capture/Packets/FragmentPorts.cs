using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Remembers the ports of first fragments, so that later ones find their connection. Fixed in size: a newer packet may push an older one
/// out, whose later fragments are then counted as unattributed.
/// </summary>
internal sealed class FragmentPorts
{
    // Fragments of one packet follow each other within milliseconds; 1,024 packets under way at once is a flood.
    private const int Slots = 1024;

    // RFC 791 and RFC 8200 let a host wait 60 s at most for the rest of a packet.
    private const long AgeMaxUs = UnixTime.Minute;

    private readonly Slot[] slots = new Slot[Slots];

    /// <summary>Notes a first fragment; gives a later one its ports. False where they are not known.</summary>
    public bool Attribute(ref DecodedPacket packet, long timeUs)
    {
        var hash = HashCode.Combine(packet.Src, packet.Dst, packet.Protocol, packet.FragmentId);
        ref var slot = ref slots[(uint)hash % Slots];
        if (!packet.IsLaterFragment)
        {
            slot = new Slot(packet.Src, packet.Dst, packet.Protocol, packet.FragmentId, packet.SrcPort, packet.DstPort, packet.IcmpTypeCode, timeUs);
            return true;
        }

        if (!slot.Holds(in packet) || timeUs - slot.TimeUs > AgeMaxUs)
        {
            return false;
        }

        (packet.SrcPort, packet.DstPort, packet.IcmpTypeCode) = (slot.SrcPort, slot.DstPort, slot.IcmpTypeCode);

        // Not a TCP header, so no flags: a later fragment must not look like the middle of a new connection.
        packet.TcpFlags = TcpFlags.Ack;
        return true;
    }

    private readonly record struct Slot(NetAddress Src, NetAddress Dst, byte Protocol, uint Id, ushort SrcPort, ushort DstPort, ushort IcmpTypeCode, long TimeUs)
    {
        public bool Holds(in DecodedPacket packet) =>
            TimeUs != 0 && Id == packet.FragmentId && Protocol == packet.Protocol && Src == packet.Src && Dst == packet.Dst;
    }
}
