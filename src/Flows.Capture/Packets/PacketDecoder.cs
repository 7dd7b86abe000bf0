namespace Flows.Capture.Packets;

/// <summary>
/// Decodes the headers of a captured frame. Never throws, whatever the bytes; every step reads forward and the number of headers is bounded.
/// </summary>
internal static class PacketDecoder
{
    /// <param name="frame">The captured bytes, possibly fewer than were on the wire.</param>
    /// <param name="linkType">LINKTYPE_ value of the capture (tcpdump.org/linktypes.html).</param>
    /// <param name="wireLength">Bytes of the frame on the wire.</param>
    /// <param name="packet">Filled where the result is <see cref="PacketReject.None"/>.</param>
    public static PacketReject Decode(ReadOnlySpan<byte> frame, int linkType, int wireLength, out DecodedPacket packet)
    {
        packet = default;

        // 1. What lies around IP.
        var reject = LinkHeader.Skip(frame, linkType, out var offset);
        if (reject != PacketReject.None)
        {
            return reject;
        }

        // 2. IP, up to the transport header. A wire length below the captured one is a lie of the file.
        reject = IpHeader.Decode(frame, ref offset, Math.Max(wireLength, frame.Length) - offset, ref packet);
        if (reject != PacketReject.None || packet.IsLaterFragment)
        {
            return reject;
        }

        // 3. Ports, flags, types.
        return TransportHeader.Decode(frame, offset, ref packet);
    }

    /// <summary>
    /// Decodes the packet that an ICMP error quotes: its IP header and at least eight bytes behind (RFC 792), which hold the ports.
    /// </summary>
    public static bool TryDecodeQuote(ReadOnlySpan<byte> frame, int offset, out DecodedPacket quoted)
    {
        quoted = default;
        return IpHeader.Decode(frame, ref offset, frame.Length - offset, ref quoted) == PacketReject.None
            && !quoted.IsLaterFragment
            && TransportHeader.TryPorts(frame, offset, ref quoted);
    }
}
