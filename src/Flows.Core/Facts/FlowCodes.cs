namespace Flows.Core.Facts;

// The small code sets of a flow row. The numbers are stored; never renumber, only add. The views show the lower-case names.

/// <summary>How we know who initiated. Policy trusts everything up to <see cref="ServicePort"/>, and <see cref="Request"/> when a reply followed.</summary>
public enum DirectionBy : byte
{
    None = 0,

    /// <summary>A TCP SYN without ACK was seen from the initiator.</summary>
    Syn = 1,

    /// <summary>A SYN+ACK was seen from the responder; its SYN was missed.</summary>
    SynAck = 2,

    /// <summary>Conntrack saw the connection begin (a NEW event, not a picked-up entry).</summary>
    CtNew = 3,

    /// <summary>A listening socket on this node.</summary>
    Listener = 4,

    /// <summary>Set by the server from the ledger: the port belongs to a service.</summary>
    ServicePort = 5,

    /// <summary>First packet of UDP, ICMP or another protocol after silence.</summary>
    Request = 6,

    /// <summary>Only the port numbers speak: the lower one is taken as the service. Never trusted.</summary>
    PortOrder = 7,
}

/// <summary>Where the connection stood at the end of its window.</summary>
public enum FlowState : byte
{
    Unknown = 0,

    /// <summary>The initiator sent and nobody answered. Not the same as denied.</summary>
    Unanswered = 1,

    /// <summary>The responder refused: a TCP RST to the SYN, an ICMP port unreachable to UDP.</summary>
    Refused = 2,

    /// <summary>Both sides have spoken (TCP: handshake done), and it goes on.</summary>
    Established = 3,

    /// <summary>Ended in order (TCP FIN both ways).</summary>
    Closed = 4,

    /// <summary>Ended by RST after it was established.</summary>
    Reset = 5,

    /// <summary>TCP seen in mid-stream: no handshake, both directions or one.</summary>
    MidStream = 6,
}

/// <summary>Why this row was written; the values of IPFIX flowEndReason (IE 136, RFC 5102).</summary>
public enum EndReason : byte
{
    Idle = 1,
    Active = 2,
    End = 3,
    Forced = 4,
    LackOfResources = 5,
}

/// <summary>What observed the flow.</summary>
public enum FlowSource : byte
{
    Conntrack = 1,
    Packets = 2,
    File = 3,
}

/// <summary>The IP protocol numbers that the code names (IANA protocol-numbers).</summary>
public static class IpProtocol
{
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte IcmpV6 = 58;
    public const byte Sctp = 132;

    /// <summary>Lower-case name where the code knows one, else the number as text.</summary>
    public static string NameOf(byte protocol) => protocol switch
    {
        Icmp => "icmp",
        Tcp => "tcp",
        Udp => "udp",
        IcmpV6 => "icmp6",
        Sctp => "sctp",
        _ => protocol.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
