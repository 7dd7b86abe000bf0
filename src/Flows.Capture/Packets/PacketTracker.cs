using System.Runtime.CompilerServices;
using Flows.Capture.Flow;
using Flows.Capture.Names;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Takes frames, decodes them and tracks their flows, and keeps the books: every packet is in a flow or dropped for one reason.
/// One thread owns it.
/// </summary>
/// <param name="table">The flow table that the packets go to.</param>
/// <param name="account">The hop <c>packets</c>; sources on several threads may share it.</param>
/// <param name="names">Reads DNS answers on the way; sources on several threads may share it. Null to look at no payload at all.</param>
public sealed class PacketTracker(FlowTable table, HopAccount account, NameObserver? names = null)
{
    /// <summary>Packets between two postings, so that the shared counters are not touched for each.</summary>
    private const int PostEvery = 4096;

    private readonly FragmentCache fragments = new();
    private readonly long[] results = new long[DecodeResults.Count];
    private long unposted;

    /// <summary>The account that this product shows for packets.</summary>
    public static HopAccount NewAccount() => new("packets", "packets");

    public FlowTable Table => table;

    /// <summary>Counts one frame, in a flow or under the reason returned.</summary>
    /// <param name="frame">The captured bytes; not kept.</param>
    /// <param name="linkType">See <see cref="LinkType"/>.</param>
    /// <param name="wireLength">Bytes that the frame had on the wire.</param>
    /// <param name="timeUs">When it was captured, µs since the epoch, UTC.</param>
    /// <param name="observer">Which of the node's interfaces captured it, 1 to 255.</param>
    public DecodeResult Track(ReadOnlySpan<byte> frame, int linkType, int wireLength, long timeUs, byte observer = FlowOwner.Only)
    {
        // The decoder sets all of it before anything here reads it.
        Unsafe.SkipInit(out DecodedPacket packet);
        var result = PacketDecoder.DecodeOutermost(frame, linkType, wireLength, ref packet);
        if (result == DecodeResult.Ok)
        {
            result = packet.IsPlain ? Count(frame, in packet, timeUs, observer) : Unwrap(frame, ref packet, timeUs, observer);
        }

        Record(result);
        return result;
    }

    /// <summary>Reports what has timed out by the clock, for a source that sees no packets, and posts the counts.</summary>
    public void Advance(long timeUs)
    {
        table.Advance(timeUs);
        fragments.Sweep(timeUs);
        Post();
    }

    /// <summary>Reports all connections that are left and posts the counts.</summary>
    public void Finish()
    {
        table.Finish();
        fragments.Clear();
        Post();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DecodeResult Count(ReadOnlySpan<byte> frame, in DecodedPacket packet, long timeUs, byte observer)
    {
        var isOurs = table.Track(in packet, timeUs, observer);
        if (names is not null && packet.SrcPort == NameObserver.Port && packet.Fragment != Fragment.Later)
        {
            // Whoever owns the flow, which may be conntrack: it reads no names.
            names.OnPacket(frame, in packet, timeUs);
        }

        if (packet.QuoteOffset != 0 && IcmpTypes.IsRefusal(packet.Protocol, packet.IcmpTypeCode))
        {
            Refuse(frame, packet.QuoteOffset);
        }

        return isOurs ? DecodeResult.Ok : DecodeResult.SeenElsewhere;
    }

    /// <summary>Opens tunnels, and finds out whose a fragment is, on every level. The packet counts once: as the innermost that decodes.</summary>
    private DecodeResult Unwrap(ReadOnlySpan<byte> frame, ref DecodedPacket packet, long timeUs, byte observer)
    {
        for (var level = 0; ; level++)
        {
            if (packet.Fragment == Fragment.Later)
            {
                return TakeLater(frame, ref packet, timeUs, observer);
            }

            var outer = packet;
            var isTunnel = level < TunnelDecoder.LevelsMax && TunnelDecoder.TryDescend(frame, ref packet);
            var held = outer.Fragment == Fragment.First ? fragments.Remember(in outer, isTunnel, timeUs, observer) : default;
            if (!isTunnel)
            {
                var result = Count(frame, in packet, timeUs, observer);
                CountHeld(packet, held, timeUs, observer);
                return result;
            }

            Record(DecodeResult.TunnelFragment, held.Packets);
        }
    }

    private DecodeResult TakeLater(ReadOnlySpan<byte> frame, ref DecodedPacket packet, long timeUs, byte observer)
    {
        switch (fragments.Attribute(ref packet, timeUs, observer))
        {
            case FragmentOwner.Tunnel:
                return DecodeResult.TunnelFragment;
            case FragmentOwner.Unknown when NeedsFirst(in packet):
                return fragments.Hold(in packet, timeUs, observer) ? DecodeResult.FragmentHeld : DecodeResult.FragmentUnattributed;
            default:
                return Count(frame, in packet, timeUs, observer);
        }
    }

    /// <summary>True where addresses and protocol are not the whole key, or the bytes may be those of an inner packet.</summary>
    private static bool NeedsFirst(in DecodedPacket later) =>
        later.Protocol is IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Icmp or IpProtocol.IcmpV6
        || TunnelDecoder.MayCarry(later.Protocol) || PacketDecoder.IsExtension(later.Protocol);

    /// <summary>Counts what waited for a first fragment: so many packets, with their bytes on the first of them.</summary>
    private void CountHeld(DecodedPacket first, HeldFragments held, long timeUs, byte observer)
    {
        first.Fragment = Fragment.Later;
        first.TcpFlags = 0;
        first.IpBytes = held.Bytes;
        for (var packet = 0; packet < held.Packets; packet++)
        {
            Record(table.Track(in first, timeUs, observer) ? DecodeResult.Ok : DecodeResult.SeenElsewhere);
            first.IpBytes = 0;
        }
    }

    private void Refuse(ReadOnlySpan<byte> frame, int quoteOffset)
    {
        DecodedPacket quoted = default;
        if (PacketDecoder.DecodeQuote(frame, quoteOffset, ref quoted))
        {
            table.Refuse(in quoted);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Record(DecodeResult result, int packets = 1)
    {
        results[(int)result] += packets;
        unposted += packets;
        if (unposted >= PostEvery)
        {
            Post();
        }
    }

    private void Post()
    {
        // Held fragments enter the books when their fate is known; those whose fate is to be lost do now.
        var lost = fragments.TakeLost();
        results[(int)DecodeResult.FragmentUnattributed] += lost;
        unposted += lost - results[(int)DecodeResult.FragmentHeld];
        results[(int)DecodeResult.FragmentHeld] = 0;
        if (unposted == 0)
        {
            return;
        }

        account.Seen(unposted);
        account.Forwarded(results[(int)DecodeResult.Ok]);
        for (var result = DecodeResult.Ok + 1; (int)result < results.Length; result++)
        {
            if (results[(int)result] != 0)
            {
                account.Dropped(result.Reason(), results[(int)result]);
            }
        }

        Array.Clear(results);
        unposted = 0;
    }
}
