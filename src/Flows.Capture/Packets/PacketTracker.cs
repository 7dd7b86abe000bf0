using Flows.Capture.Tracking;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// One stream of packets: decode, attribute fragments, track. Every packet is either in a flow or counted as dropped with a reason.
/// Not thread safe.
/// </summary>
/// <param name="point">The node and scope of the rows.</param>
/// <param name="options">Timeouts and bounds.</param>
/// <param name="sink">Takes each row.</param>
/// <param name="account">A hop in packets; gets the counts at each <see cref="Publish"/>.</param>
public sealed class PacketTracker(ObservationPoint point, FlowTableOptions options, FlowSink sink, HopAccount account)
{
    // The account is shared and atomic; per packet it would cost as much as decoding.
    private const int PublishEvery = 4096;

    private readonly FlowTable table = new(point, options, sink);
    private readonly FragmentPorts fragments = new();
    private readonly long[] counts = new long[Enum.GetValues<PacketReject>().Length];
    private int unpublished;

    /// <summary>Connections tracked now.</summary>
    public int Connections => table.Count;

    /// <summary>Takes one captured frame.</summary>
    public void Track(ReadOnlySpan<byte> frame, int linkType, int wireLength, long timeUs)
    {
        var reject = PacketDecoder.Decode(frame, linkType, wireLength, out var packet);
        if (reject == PacketReject.None && packet.IsFragment && !fragments.Attribute(ref packet, timeUs))
        {
            reject = PacketReject.FragmentUnattributed;
        }

        if (reject == PacketReject.None)
        {
            table.Track(in packet, timeUs);
            if (packet.QuoteOffset != 0 && Icmp.IsPortUnreachable(packet.Protocol, packet.IcmpTypeCode)
                && PacketDecoder.TryDecodeQuote(frame, packet.QuoteOffset, out var quoted))
            {
                table.Refuse(in quoted);
            }
        }

        counts[(int)reject]++;
        if (++unpublished == PublishEvery)
        {
            Publish();
        }
    }

    /// <summary>Time passes without packets.</summary>
    public void Advance(long timeUs) => table.Advance(timeUs);

    /// <summary>Brings the account up to date.</summary>
    public void Publish()
    {
        for (var reject = 0; reject < counts.Length; reject++)
        {
            account.Seen(counts[reject]);
            if (reject == (int)PacketReject.None)
            {
                account.Forwarded(counts[reject]);
            }
            else
            {
                account.Dropped(PacketRejects.NameOf((PacketReject)reject), counts[reject]);
            }

            counts[reject] = 0;
        }

        unpublished = 0;
    }

    /// <summary>Writes the last row of every connection.</summary>
    public void Complete()
    {
        table.Complete();
        Publish();
    }
}
