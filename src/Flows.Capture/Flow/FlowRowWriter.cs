using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>Turns an entry's window into a row, and names connections.</summary>
internal sealed class FlowRowWriter(ObservationPoint point, FlowSource source, string origin, FlowSink sink)
{
    private readonly ulong identity = Mix.Fold(point.NodeId ^ (ulong)source, StableId.Of("origin", origin));

    public long Written { get; private set; }

    public long Connections { get; private set; }

    /// <summary>
    /// The next connection's id: the same for the same input, and another for every connection here, even for two between the same
    /// ports in the same microsecond. Never 0.
    /// </summary>
    public ulong NextConnId(in FlowEntry entry)
    {
        Connections++;
        var id = Mix.Fold(entry.Key.Hash(identity) ^ (ulong)entry.ConnStartUs, identity ^ (ulong)Connections);
        return id == 0 ? 1 : id;
    }

    public void Write(in FlowEntry entry, EndReason reason)
    {
        var initiatorIsLow = entry.Has(Marks.InitiatorIsLow);
        var key = entry.Key;
        var row = new FlowRow
        {
            WindowStartUs = entry.WindowStartUs,
            WindowEndUs = Math.Max(entry.LastUs, entry.WindowStartUs),
            ConnStartUs = entry.ConnStartUs,
            ConnId = entry.ConnId,
            WindowNo = entry.WindowNo,
            Src = initiatorIsLow ? key.Low : key.High,
            Dst = initiatorIsLow ? key.High : key.Low,
            SrcPort = initiatorIsLow ? key.LowPort : key.HighPort,
            DstPort = initiatorIsLow ? key.HighPort : key.LowPort,
            Protocol = key.Protocol,
            FwdPackets = entry.FwdPackets,
            RevPackets = entry.RevPackets,
            FwdBytes = entry.FwdBytes,
            RevBytes = entry.RevBytes,
            FwdTcpFlags = entry.IsTcp ? entry.FwdTcpFlags : null,
            RevTcpFlags = entry.IsTcp ? entry.RevTcpFlags : null,
            IcmpTypeCode = key.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 ? entry.IcmpTypeCode : null,
            State = entry.State,
            EndReason = reason,
            DirectionBy = entry.DirectionBy,
            Source = source,
            NodeId = point.NodeId,
            ScopeId = point.ScopeId,
            Sampling = 1,
        };
        Written++;
        sink(in row);
    }
}
