namespace Flows.Capture.Packets;

/// <summary>What became of a frame: decoded, or the one reason why it is in no flow.</summary>
public enum DecodeResult : byte
{
    Ok = 0,

    /// <summary>A sound frame that carries something else: ARP, spanning tree, LLDP.</summary>
    NotIp,

    /// <summary>The capture ends within the link layer's headers.</summary>
    TruncatedL2,

    /// <summary>The capture ends within the IP header or its extension headers.</summary>
    TruncatedIp,

    /// <summary>Wrong version, header length under 20, or a total length shorter than the header.</summary>
    BadIpHeader,

    /// <summary>The capture or the datagram ends before the ports, the TCP flags or the ICMP type.</summary>
    TruncatedL4,

    /// <summary>More than two VLAN tags, or more than eight MPLS labels.</summary>
    TooManyTags,

    /// <summary>More than eight IPv6 extension headers.</summary>
    TooManyExtensions,

    /// <summary>The link type is not one that <see cref="LinkLayer"/> knows.</summary>
    LinkTypeUnsupported,

    /// <summary>A later fragment whose first fragment, which has the ports, was not seen.</summary>
    FragmentUnattributed,

    /// <summary>
    /// A later fragment of a datagram that carries a tunnelled packet. Intentional: the inner packet's own length, which counts
    /// with the first fragment, already holds these bytes.
    /// </summary>
    TunnelFragment,

    /// <summary>
    /// A later fragment that came before its first one and waits for it. No drop: it enters the books when its fate is known, as
    /// <see cref="Ok"/>, <see cref="FragmentUnattributed"/> or <see cref="TunnelFragment"/>.
    /// </summary>
    FragmentHeld,

    /// <summary>Another interface of the node counts this direction of the flow. Intentional: it is no loss.</summary>
    SeenElsewhere,
}

/// <summary>The public names of <see cref="DecodeResult"/>, as accounts and metrics show them.</summary>
public static class DecodeResults
{
    private static readonly string[] Names =
    [
        "ok", "not_ip", "truncated_l2", "truncated_ip", "bad_ip_header", "truncated_l4",
        "too_many_tags", "too_many_extensions", "link_type_unsupported", "fragment_unattributed",
        "tunnel_fragment", "fragment_held", "seen_elsewhere",
    ];

    /// <summary>How many results there are.</summary>
    public static int Count => Names.Length;

    public static string Reason(this DecodeResult result) => Names[(int)result];
}
