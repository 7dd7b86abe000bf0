namespace Flows.Capture.Packets;

/// <summary>Why a packet is in no flow.</summary>
public enum PacketReject : byte
{
    /// <summary>It is in one.</summary>
    None,

    /// <summary>The link type is none that we read.</summary>
    LinkTypeUnsupported,

    /// <summary>The captured bytes end within the link header.</summary>
    TruncatedLink,

    /// <summary>ARP, LLDP, spanning tree and the like.</summary>
    NotIp,

    /// <summary>More than two VLAN tags or MPLS labels.</summary>
    TooManyTags,

    /// <summary>The captured bytes end within the IP header or its extensions.</summary>
    TruncatedIp,

    /// <summary>The version, header length or total length contradicts itself.</summary>
    BadIpHeader,

    /// <summary>More IPv6 extension headers than any honest packet has.</summary>
    TooManyExtensions,

    /// <summary>The captured bytes end before the ports.</summary>
    TruncatedTransport,

    /// <summary>A later fragment whose first one was not seen, so its ports are unknown.</summary>
    FragmentUnattributed,
}

/// <summary>The reasons as the accounts name them.</summary>
public static class PacketRejects
{
    public static string NameOf(PacketReject reject) => reject switch
    {
        PacketReject.LinkTypeUnsupported => "link_type_unsupported",
        PacketReject.TruncatedLink => "truncated_link",
        PacketReject.NotIp => "not_ip",
        PacketReject.TooManyTags => "too_many_tags",
        PacketReject.TruncatedIp => "truncated_ip",
        PacketReject.BadIpHeader => "bad_ip_header",
        PacketReject.TooManyExtensions => "too_many_extensions",
        PacketReject.TruncatedTransport => "truncated_transport",
        PacketReject.FragmentUnattributed => "fragment_unattributed",
        _ => "none",
    };
}
