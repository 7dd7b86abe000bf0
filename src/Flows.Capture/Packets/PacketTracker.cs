using Flows.Capture.Flow;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Takes frames, decodes them and tracks their flows, and keeps the books: every packet is in a flow or dropped for one reason.
/// One thread owns it.
/// </summary>
/// <param name="table">The flow table that the packets go to.</param>
/// <param name="account">The hop <c>packets</c>; sources on several threads may share it.</param>
public sealed class PacketTracker(FlowTable table, HopAccount account)
{
    /// <summary>Packets between two postings, so that the shared counters are not touched for each.</summary>
    private const int PostEvery = 4096;

    private readonly FragmentCache fragments = new();
    private readonly long[] results = new long[DecodeResults.Count];
    private int unposted;

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
        DecodedPacket packet = default;
        var result = PacketDecoder.Decode(frame, linkType, wireLength, ref packet);
        if (result == DecodeResult.Ok && packet.Fragment != Fragment.None)
        {
            result = AttributeFragment(ref packet, timeUs);
        }

        if (result == DecodeResult.Ok)
        {
            result = table.Track(in packet, timeUs, observer) ? DecodeResult.Ok : DecodeResult.SeenElsewhere;
            if (packet.QuoteOffset != 0 && IcmpTypes.IsRefusal(packet.Protocol, packet.IcmpTypeCode))
            {
                Refuse(frame, packet.QuoteOffset);
            }
        }

        results[(int)result]++;
        if (++unposted == PostEvery)
        {
            Post();
        }

        return result;
    }

    /// <summary>Reports what has timed out by the clock, for a source that sees no packets, and posts the counts.</summary>
    public void Advance(long timeUs)
    {
        table.Advance(timeUs);
        Post();
    }

    /// <summary>Reports all connections that are left and posts the counts.</summary>
    public void Finish()
    {
        table.Finish();
        Post();
    }

    private DecodeResult AttributeFragment(ref DecodedPacket packet, long timeUs)
    {
        if (packet.Fragment == Fragment.First)
        {
            fragments.Remember(in packet, timeUs);
            return DecodeResult.Ok;
        }

        // Without ports in the key, addresses and protocol are enough.
        var hasPorts = packet.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.Icmp or IpProtocol.IcmpV6;
        return !hasPorts || fragments.Attribute(ref packet, timeUs) ? DecodeResult.Ok : DecodeResult.FragmentUnattributed;
    }

    private void Refuse(ReadOnlySpan<byte> frame, int quoteOffset)
    {
        DecodedPacket quoted = default;
        if (PacketDecoder.DecodeQuote(frame, quoteOffset, ref quoted))
        {
            table.Refuse(in quoted);
        }
    }

    private void Post()
    {
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
