using System.Buffers.Binary;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>One end of a connection as a socket has it: its own address and port, and the other end's; zeros stand for "any".</summary>
internal readonly record struct SocketTuple(NetAddress Local, NetAddress Remote, ushort LocalPort, ushort RemotePort, byte Protocol);

/// <summary>What the kernel says of a socket.</summary>
internal readonly record struct DiagSocket(SocketTuple Tuple, byte State, uint Uid, uint Inode, ulong CgroupId)
{
    /// <summary>A mini-socket of TIME_WAIT or of an unfinished handshake: the kernel keeps no owner for it.</summary>
    public bool IsMini => CgroupId == 0 && Inode == 0;

    public bool IsListener => State == SockDiag.TcpListen;

    /// <summary>No process holds it any more; kernels before 6.17 then say user 0 whoever it was.</summary>
    public bool IsOrphan => Inode == 0;
}

/// <summary>
/// Questions and answers of NETLINK_SOCK_DIAG (linux/sock_diag.h, linux/inet_diag.h): pure, host order little endian but for addresses
/// and ports.
/// </summary>
internal static class SockDiag
{
    public const int NetlinkFamily = 4;

    /// <summary>SOCK_DIAG_BY_FAMILY.</summary>
    public const ushort ByFamily = 20;

    public const byte TcpListen = 10;

    /// <summary>nlmsghdr and struct inet_diag_req_v2.</summary>
    public const int RequestLength = NlMsg.HeaderLength + 56;

    public const byte Inet = 2;
    public const byte Inet6 = 10;

    /// <summary>All states but TIME_WAIT (6) and the two of an unfinished handshake (3, 12): what has an owner.</summary>
    public const uint StatesOwned = 0xFFFF_FFFF & ~((1u << 6) | (1u << 3) | (1u << 12));

    private const ushort AttributeCgroupId = 21;
    private const int IdOffset = 4;
    private const int AnswerLength = 72;

    /// <summary>
    /// Asks for the one socket that packets of this tuple reach: the connected one, or else the listener or bound UDP socket. An IPv4 tuple finds
    /// dual-stack sockets too. Returns the bytes written.
    /// </summary>
    public static int WriteLookup(Span<byte> to, uint sequence, in SocketTuple tuple)
    {
        var isV4 = tuple.Local.IsV4;
        var id = WriteHead(to, sequence, NlMsg.FlagRequest, isV4 ? Inet : Inet6, tuple.Protocol, uint.MaxValue);

        // udp_diag takes source and destination as the packet has them, the others as the socket has them (udp_diag.c: "for historical reasons").
        var fromRemote = tuple.Protocol == IpProtocol.Udp;
        BinaryPrimitives.WriteUInt16BigEndian(id, fromRemote ? tuple.RemotePort : tuple.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], fromRemote ? tuple.LocalPort : tuple.RemotePort);
        WriteAddress(id[4..], fromRemote ? tuple.Remote : tuple.Local, isV4);
        WriteAddress(id[20..], fromRemote ? tuple.Local : tuple.Remote, isV4);
        return RequestLength;
    }

    /// <summary>Asks for all sockets of a family and protocol in these states (bit n = state n).</summary>
    public static int WriteDump(Span<byte> to, uint sequence, byte family, byte protocol, uint states)
    {
        WriteHead(to, sequence, NlMsg.FlagRequest | NlMsg.FlagDump, family, protocol, states);
        return RequestLength;
    }

    /// <summary>Reads the payload of an answer; false where it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, byte protocol, out DiagSocket socket)
    {
        socket = default;
        if (payload.Length < AnswerLength || payload[0] is not (Inet or Inet6))
        {
            return false;
        }

        // struct inet_diag_msg: family, state, timer, retrans; id (ports, addresses, interface, cookie); expires, rqueue, wqueue, uid, inode.
        var id = payload[IdOffset..];
        var size = payload[0] == Inet ? 4 : 16;
        var tuple = new SocketTuple(
            NetAddress.FromBytes(id.Slice(4, size)), NetAddress.FromBytes(id.Slice(20, size)),
            BinaryPrimitives.ReadUInt16BigEndian(id), BinaryPrimitives.ReadUInt16BigEndian(id[2..]), protocol);
        var cgroup = 0UL;
        var attributes = new AttributeReader(payload[AnswerLength..]);
        while (attributes.Next())
        {
            if (attributes.Type == AttributeCgroupId && attributes.Value.Length == sizeof(ulong))
            {
                cgroup = BinaryPrimitives.ReadUInt64LittleEndian(attributes.Value);
            }
        }

        socket = new DiagSocket(
            tuple, payload[1], BinaryPrimitives.ReadUInt32LittleEndian(payload[64..]), BinaryPrimitives.ReadUInt32LittleEndian(payload[68..]), cgroup);
        return !attributes.Malformed;
    }

    /// <summary>The errno of a message that ends a request (NLMSG_ERROR, NLMSG_DONE); 0 for none.</summary>
    public static int ErrorOf(ReadOnlySpan<byte> payload) => payload.Length < sizeof(int) ? 0 : -BinaryPrimitives.ReadInt32LittleEndian(payload);

    private static Span<byte> WriteHead(Span<byte> to, uint sequence, ushort flags, byte family, byte protocol, uint states)
    {
        to[..RequestLength].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, RequestLength);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], ByFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], sequence);
        var body = to[NlMsg.HeaderLength..];
        body[0] = family;
        body[1] = protocol;
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], states);
        var id = body[8..];

        // INET_DIAG_NOCOOKIE: we do not know the socket from before.
        BinaryPrimitives.WriteUInt64LittleEndian(id[40..], ulong.MaxValue);
        return id;
    }

    private static void WriteAddress(Span<byte> to, NetAddress address, bool isV4)
    {
        if (isV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(to, (uint)address.Low);
        }
        else
        {
            address.Write(to);
        }
    }
}
