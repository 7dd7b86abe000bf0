using Flows.Capture.Flow;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>Writes the rows of entries: pure, but for the sink that takes them.</summary>
internal sealed class ConntrackRows(ObservationPoint point, FlowSink sink)
{
    /// <summary>Distinguishes boots and network namespaces: in both, entry ids repeat.</summary>
    public ulong Seed { get; set; }

    /// <summary>
    /// The zone of the rows of a further network namespace, which tells its table of connections apart from the node's own; 0 where the kernel's zones hold.
    /// </summary>
    public ushort SpaceZone { get; set; }

    /// <summary>
    /// Writes a row with what was counted since the last one, and begins the next window.
    /// </summary>
    /// <param name="counted">False where the counters of this window are lost: then they are null, for zero would be a lie.</param>
    public void Write(ref ConntrackEntry entry, EndReason reason, FlowState state, long windowEndUs, bool counted)
    {
        var row = new FlowRow
        {
            WindowStartUs = entry.WindowStartUs,
            WindowEndUs = Math.Max(entry.WindowStartUs, windowEndUs),
            ConnStartUs = entry.ConnStartUs,
            ConnId = IdOf(in entry),
            WindowNo = entry.WindowNo,
            State = state,
            EndReason = reason,
            DirectionBy = entry.DirectionBy,
            Source = FlowSource.Conntrack,
            NodeId = point.NodeId,
            ScopeId = point.ScopeId,
            Sampling = 1,
            Zone = SpaceZone == 0 ? entry.Zone : SpaceZone,
        };
        var isIcmp = entry.Orig.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        row.IcmpTypeCode = isIcmp ? entry.Orig.IcmpTypeCode : null;
        if (entry.Reversed)
        {
            FillTuples(ref row, in entry.Reply, in entry.Orig);
        }
        else
        {
            FillTuples(ref row, in entry.Orig, in entry.Reply);
        }

        if (counted && entry.HasCounters)
        {
            FillCounters(ref row, entry.Latest - entry.Reported, entry.Reversed);
        }

        sink(in row);
        entry.Reported = entry.Latest;
        entry.WindowStartUs = row.WindowEndUs;
        entry.WindowNo++;
    }

    private static void FillTuples(ref FlowRow row, in ConntrackTuple orig, in ConntrackTuple reply)
    {
        row.Src = orig.Src;
        row.Dst = orig.Dst;
        row.SrcPort = orig.SrcPort;
        row.DstPort = orig.DstPort;
        row.Protocol = orig.Protocol;
        if (reply.Src != orig.Dst || reply.SrcPort != orig.DstPort)
        {
            row.NatDst = reply.Src;
            row.NatDstPort = reply.SrcPort;
        }

        if (reply.Dst != orig.Src || reply.DstPort != orig.SrcPort)
        {
            row.NatSrc = reply.Dst;
            row.NatSrcPort = reply.DstPort;
        }
    }

    private static void FillCounters(ref FlowRow row, ConntrackCounters delta, bool reversed)
    {
        row.FwdPackets = reversed ? delta.ReplyPackets : delta.OrigPackets;
        row.FwdBytes = reversed ? delta.ReplyBytes : delta.OrigBytes;
        row.RevPackets = reversed ? delta.OrigPackets : delta.ReplyPackets;
        row.RevBytes = reversed ? delta.OrigBytes : delta.ReplyBytes;
    }

    /// <summary>
    /// A chain of <see cref="Mix.Fold"/> over seed, node, start, addresses, ports, id, zone, protocol and ICMP type: the same on every machine and in every
    /// run. Where the kernel gives the start (nf_conntrack_timestamp), a restarted collector finds the same id for a connection that outlived it.
    /// A cryptographic hash costs ten times as much as the rest of the row; whoever makes two of his own connections share an id gains nothing by it.
    /// </summary>
    private ulong IdOf(in ConntrackEntry entry)
    {
        ref readonly var orig = ref entry.Orig;
        var ports = ((ulong)orig.SrcPort << 48) | ((ulong)orig.DstPort << 32) | entry.Id;
        var rest = ((ulong)entry.Zone << 32) | ((ulong)orig.IcmpTypeCode << 8) | orig.Protocol;
        var id = Mix.Fold(Seed, point.NodeId);
        id = Mix.Fold(id, (ulong)entry.ConnStartUs);
        id = Mix.Fold(id ^ orig.Src.High, orig.Dst.High);
        id = Mix.Fold(id ^ orig.Src.Low, orig.Dst.Low);
        id = Mix.Fold(id ^ ports, rest);
        return id == 0 ? 1 : id;
    }
}
