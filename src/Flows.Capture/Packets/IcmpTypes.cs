using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>What an ICMP message is to the flow it belongs to.</summary>
internal enum IcmpKind : byte
{
    Other = 0,
    EchoRequest,
    EchoReply,

    /// <summary>Reports on another packet and quotes it.</summary>
    Error,
}

/// <summary>The ICMP messages that bear on flows (IANA icmp-parameters, icmpv6-parameters).</summary>
internal static class IcmpTypes
{
    public static IcmpKind KindOf(byte protocol, byte type) => (protocol, type) switch
    {
        (IpProtocol.Icmp, 8) or (IpProtocol.IcmpV6, 128) => IcmpKind.EchoRequest,
        (IpProtocol.Icmp, 0) or (IpProtocol.IcmpV6, 129) => IcmpKind.EchoReply,
        (IpProtocol.Icmp, 3 or 4 or 5 or 11 or 12) or (IpProtocol.IcmpV6, >= 1 and <= 4) => IcmpKind.Error,
        _ => IcmpKind.Other,
    };

    /// <summary>
    /// True for an answer that says "not here" or "not allowed": protocol or port unreachable, administratively prohibited, rejected.
    /// Host or network unreachable is an accident of routing, and no refusal.
    /// </summary>
    public static bool IsRefusal(byte protocol, ushort typeCode) => (protocol, typeCode >> 8, typeCode & 0xFF) switch
    {
        (IpProtocol.Icmp, 3, 2 or 3 or 9 or 10 or 13) => true,
        (IpProtocol.IcmpV6, 1, 1 or 4 or 5 or 6) => true,
        _ => false,
    };
}
