using System.Buffers.Binary;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Recording;

/// <summary>
/// A netlink datagram as LINKTYPE_NETLINK keeps it: u16 packet type, u16 ARPHRD_NETLINK, ten zero bytes, u16 netlink family, all in
/// network order, then the datagram.
/// </summary>
internal static class NetlinkFrame
{
    public const int HeaderLength = 16;

    private const ushort ArphrdNetlink = 824;

    public static void WriteHeader(Span<byte> header)
    {
        header[..HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], ArphrdNetlink);
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], NetlinkNative.NetlinkNetfilter);
    }

    /// <summary>The datagram within, or false when this is no frame of the netfilter family.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> datagram)
    {
        var good = frame.Length >= HeaderLength
            && BinaryPrimitives.ReadUInt16BigEndian(frame[2..]) == ArphrdNetlink
            && BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) == NetlinkNative.NetlinkNetfilter;
        datagram = good ? frame[HeaderLength..] : default;
        return good;
    }
}
