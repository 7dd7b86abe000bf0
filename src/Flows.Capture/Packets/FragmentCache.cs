using Flows.Capture.Flow;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>What is known of the datagram that a later fragment belongs to.</summary>
internal enum FragmentOwner : byte
{
    /// <summary>Its first fragment was not seen yet.</summary>
    Unknown = 0,

    /// <summary>Its first fragment gave the ports.</summary>
    Flow,

    /// <summary>Its first fragment carried a tunnelled packet, which counts by its own length.</summary>
    Tunnel,
}

/// <summary>Later fragments that came before their first one: how many, and their IP bytes together.</summary>
internal readonly record struct HeldFragments(ushort Packets, uint Bytes);

/// <summary>
/// Remembers the ports of first fragments, so that later fragments, which carry none, are counted in the same flow; and counts later
/// fragments that came first until their first fragment shows whose they are. A fixed table where a newcomer replaces whatever
/// shares its place: it is small, allocates nothing, and a flood of fragments costs only the attribution of other fragments. Each
/// interface has datagrams of its own: what passes two of them is seen twice, and must not wait for the other's first fragment.
/// </summary>
internal sealed class FragmentCache
{
    /// <summary>4,096 datagrams in reassembly at once, 288 KiB; a power of two.</summary>
    private const int Places = 4096;

    /// <summary>Linux gives up reassembly after 30 s (net.ipv4.ipfrag_time); a 16-bit identification may come again after that.</summary>
    private const long LifetimeUs = 30 * UnixTime.Second;

    private readonly Place[] places = new Place[Places];
    private long lost;
    private long sweptUs;

    /// <summary>Later fragments that wait for their first one now.</summary>
    public int Held { get; private set; }

    /// <summary>Takes a first fragment, whose ports are known or which was found to carry a tunnelled packet, and returns what waited for it.</summary>
    public HeldFragments Remember(in DecodedPacket first, bool isTunnel, long timeUs, byte observer)
    {
        ref var place = ref PlaceOf(in first, observer);
        var held = place.Owner == FragmentOwner.Unknown && place.Is(in first, timeUs, observer) ? place.Held : default;
        Held -= held.Packets;
        if (held == default)
        {
            GiveUp(ref place);
        }

        place = new Place
        {
            Src = first.Src,
            Dst = first.Dst,
            Id = first.FragmentId,
            Protocol = first.Protocol,
            SrcPort = first.SrcPort,
            DstPort = first.DstPort,
            TimeUs = timeUs,
            Observer = observer,
            Used = true,
            Owner = isTunnel ? FragmentOwner.Tunnel : FragmentOwner.Flow,
        };
        return held;
    }

    /// <summary>Gives a later fragment the ports and the protocol of its datagram, where its first fragment is known.</summary>
    public FragmentOwner Attribute(ref DecodedPacket later, long timeUs, byte observer)
    {
        ref var place = ref PlaceOf(in later, observer);
        if (!place.Is(in later, timeUs, observer) || place.Owner == FragmentOwner.Unknown)
        {
            return FragmentOwner.Unknown;
        }

        later.Protocol = place.Protocol;
        later.SrcPort = place.SrcPort;
        later.DstPort = place.DstPort;
        return place.Owner;
    }

    /// <summary>Keeps count of a later fragment until its first one comes; false where it cannot wait.</summary>
    public bool Hold(in DecodedPacket later, long timeUs, byte observer)
    {
        ref var place = ref PlaceOf(in later, observer);
        if (!place.Is(in later, timeUs, observer))
        {
            GiveUp(ref place);
            place = new Place { Src = later.Src, Dst = later.Dst, Id = later.FragmentId, Protocol = later.Protocol, TimeUs = timeUs, Observer = observer, Used = true };
        }

        // No datagram has more than 8,192 fragments or 64 KiB; what claims so is crafted, and the counters must not wrap.
        var held = place.Held;
        if (held.Packets == ushort.MaxValue || held.Bytes > uint.MaxValue / 2 || later.IpBytes > uint.MaxValue / 2)
        {
            return false;
        }

        place.Held = new HeldFragments((ushort)(held.Packets + 1), held.Bytes + later.IpBytes);
        Held++;
        return true;
    }

    /// <summary>Gives up what has waited too long by then; all of it at the end of the input.</summary>
    public void Sweep(long timeUs)
    {
        // Once a second is enough, whichever way the clock goes.
        if (Held == 0 || Math.Abs(timeUs - sweptUs) < UnixTime.Second)
        {
            return;
        }

        sweptUs = timeUs;
        foreach (ref var place in places.AsSpan())
        {
            if (place.Held.Packets != 0 && Math.Abs(timeUs - place.TimeUs) > LifetimeUs)
            {
                GiveUp(ref place);
            }
        }
    }

    /// <summary>Gives up everything that waits.</summary>
    public void Clear()
    {
        foreach (ref var place in places.AsSpan())
        {
            GiveUp(ref place);
        }
    }

    /// <summary>Held fragments given up since the last call: their first fragment did not come.</summary>
    public long TakeLost()
    {
        var since = lost;
        lost = 0;
        return since;
    }

    private void GiveUp(ref Place place)
    {
        lost += place.Held.Packets;
        Held -= place.Held.Packets;
        place.Held = default;
        place.Used &= place.Owner != FragmentOwner.Unknown;
    }

    private ref Place PlaceOf(in DecodedPacket packet, byte observer)
    {
        var hash = Mix.Fold(packet.Src.Low ^ packet.FragmentId, packet.Dst.Low ^ observer);
        hash = Mix.Fold(hash ^ packet.Src.High, packet.Dst.High);
        return ref places[(int)(hash & (Places - 1))];
    }

    private struct Place
    {
        public NetAddress Src;
        public NetAddress Dst;
        public long TimeUs;
        public uint Id;
        public HeldFragments Held;
        public ushort SrcPort;
        public ushort DstPort;
        public byte Protocol;
        public byte Observer;
        public FragmentOwner Owner;
        public bool Used;

        /// <summary>
        /// True for a fragment of this datagram. An IPv6 fragment's own protocol may be that of another extension header; only the
        /// first fragment leads to the transport (RFC 8200 4.5), and the identification is unique without it.
        /// </summary>
        public readonly bool Is(in DecodedPacket fragment, long timeUs, byte observer) =>
            Used && Observer == observer && Id == fragment.FragmentId && Src == fragment.Src && Dst == fragment.Dst
            && (Protocol == fragment.Protocol || !Src.IsV4) && Math.Abs(timeUs - TimeUs) <= LifetimeUs;
    }
}
