using System.Buffers.Binary;
using System.Security.Cryptography;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>Writes the rows of entries: pure, but for the sink that takes them.</summary>
internal sealed class ConntrackRows(ObservationPoint point, FlowSink sink)
{
    /// <summary>Distinguishes boots and network namespaces: in both, entry ids repeat.</summary>
    public ulong Seed { get; set; }

    /// <summary>
    /// Writes a row with what was counted since the last one, and begins the next window.
    /// </summary>
    /// <param name="counted">False where the counters of this window are lost: then they are null, for zero would be a lie.</param>
    public void Write(in ConntrackKey key, ref ConntrackEntry entry, EndReason reason, FlowState state, long windowEndUs, bool counted)
    {
        if (entry.WindowNo == 0)
        {
            entry.ConnId = IdOf(in key, in entry);
        }

        var row = new FlowRow
        {
            WindowStartUs = entry.WindowStartUs,
            WindowEndUs = Math.Max(entry.WindowStartUs, windowEndUs),
            ConnStartUs = entry.ConnStartUs,
            ConnId = entry.ConnId,
            WindowNo = entry.WindowNo,
            State = state,
            EndReason = reason,
            DirectionBy = entry.DirectionBy,
            Source = FlowSource.Conntrack,
            NodeId = point.NodeId,
            ScopeId = point.ScopeId,
            Sampling = 1,
            Zone = key.Zone,
        };
        var isIcmp = key.Orig.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        row.IcmpTypeCode = isIcmp ? key.Orig.IcmpTypeCode : null;
        FillTuples(ref row, entry.Reversed ? entry.Reply : key.Orig, entry.Reversed ? key.Orig : entry.Reply);
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
    /// The first eight bytes, big endian, of the SHA-256 of seed, node, start, addresses, id, ports, zone and protocol. Where the kernel gives
    /// the start (nf_conntrack_timestamp), a restarted collector finds the same id for a connection that outlived it.
    /// </summary>
    private ulong IdOf(in ConntrackKey key, in ConntrackEntry entry)
    {
        Span<byte> bytes = stackalloc byte[72];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Seed);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], point.NodeId);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], entry.ConnStartUs);
        key.Orig.Src.Write(bytes[24..]);
        key.Orig.Dst.Write(bytes[40..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[56..], entry.Id);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[60..], key.Orig.SrcPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[62..], key.Orig.DstPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[64..], key.Zone);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[66..], key.Orig.IcmpTypeCode);
        bytes[68] = key.Orig.Protocol;

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        var id = BinaryPrimitives.ReadUInt64BigEndian(digest);
        return id == 0 ? 1 : id;
    }
}
