using Flows.Capture.Flow;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Remembers the ports of first fragments, so that later fragments, which carry none, are counted in the same flow.
/// A fixed table where a newcomer replaces whatever shares its place: it is small, needs no clean-up, and a flood of fragments
/// costs only the attribution of other fragments.
/// </summary>
internal sealed class FragmentCache
{
    /// <summary>4,096 datagrams in reassembly at once, 256 KiB; a power of two.</summary>
    private const int Places = 4096;

    /// <summary>Linux gives up reassembly after 30 s (net.ipv4.ipfrag_time); a 16-bit identification may come again after that.</summary>
    private const long LifetimeUs = 30 * UnixTime.Second;

    private readonly Place[] places = new Place[Places];

    public void Remember(in DecodedPacket first, long timeUs)
    {
        ref var place = ref PlaceOf(in first);
        place.Src = first.Src;
        place.Dst = first.Dst;
        place.Id = first.FragmentId;
        place.Protocol = first.Protocol;
        place.SrcPort = first.SrcPort;
        place.DstPort = first.DstPort;
        place.TimeUs = timeUs;
        place.Used = true;
    }

    /// <summary>Gives a later fragment the ports of its datagram; false if its first fragment is not known.</summary>
    public bool Attribute(ref DecodedPacket later, long timeUs)
    {
        ref var place = ref PlaceOf(in later);
        if (!place.Used || place.Id != later.FragmentId || place.Protocol != later.Protocol || place.Src != later.Src || place.Dst != later.Dst
            || Math.Abs(timeUs - place.TimeUs) > LifetimeUs)
        {
            return false;
        }

        later.SrcPort = place.SrcPort;
        later.DstPort = place.DstPort;
        return true;
    }

    private ref Place PlaceOf(in DecodedPacket packet)
    {
        var hash = Mix.Fold(packet.Src.Low ^ packet.FragmentId, packet.Dst.Low ^ packet.Protocol);
        hash = Mix.Fold(hash ^ packet.Src.High, packet.Dst.High);
        return ref places[(int)(hash & (Places - 1))];
    }

    private struct Place
    {
        public NetAddress Src;
        public NetAddress Dst;
        public long TimeUs;
        public uint Id;
        public ushort SrcPort;
        public ushort DstPort;
        public byte Protocol;
        public bool Used;
    }
}
