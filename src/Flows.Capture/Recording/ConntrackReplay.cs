using Flows.Capture.Conntrack;
using Flows.Core.Accounting;

namespace Flows.Capture.Recording;

/// <summary>
/// Gives recorded conntrack datagrams to a tracker. As everything that the tracker heard is in the recording, the marks of the source
/// included, the rows are those of the live run, byte for byte, for the same observation point.
/// </summary>
/// <param name="point">The node and scope of the rows; a recording's own are in its comments, if its writer put them there.</param>
/// <param name="sink">Takes each row.</param>
/// <param name="account">The hop <c>conntrack</c>, unit <c>events</c>.</param>
public sealed class ConntrackReplay(ObservationPoint point, FlowSink sink, HopAccount account)
{
    private readonly ConntrackTracker tracker = new(point, sink, account);
    private long lastUs;

    /// <summary>Takes one packet of an interface of link type 253 (netlink). Packets of other netlink families, such as route, are passed over.</summary>
    public void OnPacket(ReadOnlySpan<byte> packet, long timeUs)
    {
        if (!NetlinkFrame.TryRead(packet, out var datagram))
        {
            return;
        }

        lastUs = timeUs;
        tracker.OnDatagram(datagram, timeUs);
        while (tracker.TryTakeFetch(out _))
        {
            // The live run asked the kernel; its answer, if it came, is further on.
        }
    }

    /// <summary>Writes out what still lives, for a recording that was cut off before its source stopped; after a whole one there is nothing left.</summary>
    public void Complete()
    {
        Span<byte> stop = stackalloc byte[ConntrackMark.Length];
        new ConntrackMark(ConntrackMarkKind.Stop, 0).Write(stop);
        tracker.OnDatagram(stop, lastUs);
    }
}
