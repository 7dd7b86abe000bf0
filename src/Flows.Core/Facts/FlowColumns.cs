using Apache.Arrow;

namespace Flows.Core.Facts;

/// <summary>
/// The column table of <c>flows</c>: the single source of the Arrow schema, the store's DDL, the reference page and the
/// dashboard checks. To add a column, add a member to <see cref="FlowRow"/> and a line here.
/// </summary>
public static class FlowColumns
{
    /// <summary>Version of the wire schema, sent with every batch; a server refuses one that it does not know.</summary>
    public const int SchemaVersion = 1;

    /// <summary>All columns, in stored order.</summary>
    public static IReadOnlyList<FlowColumn> All { get; } =
    [
        FlowColumn.Time("window_start", "First packet or event of this reporting window.", "flowStartMicroseconds (154)", (in r) => r.WindowStartUs),
        FlowColumn.Time("window_end", "Last packet or event of this reporting window.", "flowEndMicroseconds (155)", (in r) => r.WindowEndUs),
        FlowColumn.Time("conn_start", "First packet or event of the connection; the same in all its rows at one node.", null, (in r) => r.ConnStartUs),
        FlowColumn.U64("conn_id", "", "Identifies the connection at one node and source; the same in all its rows there.", "flowId (148)", (in r) => r.ConnId),
        FlowColumn.U32("window_no", "", "Number of this window within the connection; 0 is the first, so connections are the rows with 0.", null, (in r) => r.WindowNo),
        FlowColumn.Address("src_addr", "Initiator's address, IPv4 mapped into IPv6.", "sourceIPv6Address (27)", (in r) => r.Src),
        FlowColumn.Address("dst_addr", "Responder's address as the initiator dialled it (a service's VIP stays a VIP).", "destinationIPv6Address (28)", (in r) => r.Dst),
        FlowColumn.U16("src_port", "", "Initiator's port; the identifier of an ICMP echo.", "sourceTransportPort (7)", (in r) => r.SrcPort),
        FlowColumn.U16("dst_port", "", "Responder's port as dialled.", "destinationTransportPort (11)", (in r) => r.DstPort),
        FlowColumn.U8("protocol", "", "IP protocol number.", "protocolIdentifier (4)", (in r) => r.Protocol),
        FlowColumn.Address("nat_dst_addr", "Who answered, where that is not dst_addr (DNAT: the backend).", "postNATDestinationIPv6Address (282)", (in r) => r.NatDst, nullable: true),
        FlowColumn.U16("nat_dst_port", "", "The answering port, where NAT changed address or port.", "postNAPTDestinationTransportPort (228)", (in r) => r.NatDstPort, nullable: true),
        FlowColumn.Address("nat_src_addr", "The initiator as the responder sees it, where that is not src_addr (SNAT, masquerade).", "postNATSourceIPv6Address (281)", (in r) => r.NatSrc, nullable: true),
        FlowColumn.U16("nat_src_port", "", "The initiator's port as the responder sees it, where NAT changed address or port.", "postNAPTSourceTransportPort (227)", (in r) => r.NatSrcPort, nullable: true),
        FlowColumn.U64("fwd_packets", "packets", "Packets from initiator to responder in this window; null only where accounting was off.", "packetDeltaCount (2)", (in r) => r.FwdPackets, nullable: true),
        FlowColumn.U64("rev_packets", "packets", "Packets from responder to initiator in this window; null only where accounting was off.", "reverse packetDeltaCount (2)", (in r) => r.RevPackets, nullable: true),
        FlowColumn.U64("fwd_bytes", "bytes", "IP bytes from initiator to responder in this window; null only where accounting was off.", "octetDeltaCount (1)", (in r) => r.FwdBytes, nullable: true),
        FlowColumn.U64("rev_bytes", "bytes", "IP bytes from responder to initiator in this window; null only where accounting was off.", "reverse octetDeltaCount (1)", (in r) => r.RevBytes, nullable: true),
        FlowColumn.U8("fwd_tcp_flags", "", "OR of the TCP flags that the initiator sent; null where flags were not seen.", "tcpControlBits (6)", (in r) => r.FwdTcpFlags, nullable: true),
        FlowColumn.U8("rev_tcp_flags", "", "OR of the TCP flags that the responder sent; null where flags were not seen.", "reverse tcpControlBits (6)", (in r) => r.RevTcpFlags, nullable: true),
        FlowColumn.U16("icmp_type_code", "", "ICMP type * 256 + code of the first message; null for other protocols.", "icmpTypeCodeIPv4 (32), icmpTypeCodeIPv6 (139)", (in r) => r.IcmpTypeCode, nullable: true),
        FlowColumn.U8("state", "", "Where the connection stood at the end of the window; see FlowState.", null, (in r) => (byte)r.State),
        FlowColumn.U8("end_reason", "", "Why the row was written: 1 idle, 2 active, 3 end, 4 forced, 5 lack of resources.", "flowEndReason (136)", (in r) => (byte)r.EndReason),
        FlowColumn.U8("direction_by", "", "How we know who initiated; see DirectionBy.", null, (in r) => (byte)r.DirectionBy),
        FlowColumn.U8("source", "", "What observed the flow: 1 conntrack, 2 packets, 3 file.", null, (in r) => (byte)r.Source),
        FlowColumn.U64("node_id", "", "The observing node: stable hash of its name.", "observationDomainId (149)", (in r) => r.NodeId),
        FlowColumn.U64("scope_id", "", "The routing domain in which the addresses are unique: stable hash of its name.", null, (in r) => r.ScopeId),
        FlowColumn.U32("sampling", "", "One packet in so many was looked at; 1 means all.", "samplingInterval (34)", (in r) => r.Sampling),
        FlowColumn.U16("zone", "", "Conntrack zone; 0 where there is none; 32768 and above stand for a further network namespace of the node.", null, (in r) => r.Zone),
        FlowColumn.U64("src_owner_id", "", "The initiating socket's owner on this node, when known.", null, (in r) => r.SrcOwnerId, nullable: true),
        FlowColumn.U64("dst_owner_id", "", "The answering socket's owner on this node, when known.", null, (in r) => r.DstOwnerId, nullable: true),
        FlowColumn.StoreOnlyU64("batch_id", "The batch in which the row arrived: stable hash of collector, epoch and sequence."),
    ];

    /// <summary>The columns that travel, in order.</summary>
    public static IReadOnlyList<FlowColumn> Wire { get; } = [.. All.Where(column => column.OnWire)];

    /// <summary>The Arrow schema of a batch on the wire.</summary>
    public static Schema WireSchema { get; } = new(
        Wire.Select(column => new Field(column.Name, column.ArrowType, column.Nullable)), metadata: null);
}
