using System.Buffers.Binary;

namespace Flows.Capture.Conntrack;

/// <summary>What a mark tells the tracker.</summary>
internal enum ConntrackMarkKind : byte
{
    /// <summary>
    /// The source began. Values: seed of the connection ids, active timeout in µs, most entries (low 32 bits) and the zone of a further namespace's rows
    /// (the 16 bits above; 0 for the node's own).
    /// </summary>
    Start = 1,

    /// <summary>A dump is asked for. Value: its <see cref="ConntrackDump"/>.</summary>
    DumpBegin = 2,

    /// <summary>The dump is over. Value: 1 when it is complete.</summary>
    DumpEnd = 3,

    /// <summary>The kernel dropped events. Value: how many.</summary>
    Lost = 4,

    /// <summary>The source stops: what lives is written out.</summary>
    Stop = 5,

    /// <summary>An earlier run watched here. Value: until when what had begun is in its rows, µs since the epoch.</summary>
    Watched = 6,
}

/// <summary>Why a dump is taken.</summary>
internal enum ConntrackDump
{
    /// <summary>At the start: what it finds lived before us, so counting begins with it.</summary>
    Initial = 0,

    /// <summary>The active timeout.</summary>
    Periodic = 1,

    /// <summary>After lost events.</summary>
    Repair = 2,

    /// <summary>At the stop.</summary>
    Final = 3,
}

/// <summary>
/// A message of our own in the netlink stream: everything that the tracker must know beside the kernel's messages. As it is a datagram like
/// the others it is recorded like them, and a replay needs no clock. Layout after nlmsghdr: u8 kind, u8 version, u16 zero, three
/// u64, little endian. The message type lies in a subsystem number that the kernel does not use (NFNL_SUBSYS_COUNT is below 16).
/// </summary>
internal readonly record struct ConntrackMark(ConntrackMarkKind Kind, ulong Value, ulong Second = 0, ulong Third = 0)
{
    public const ushort MessageType = 0xFF01;
    public const int Length = NlMsg.HeaderLength + PayloadLength;

    private const int PayloadLength = 28;
    private const byte Version = 1;

    /// <summary>Writes <see cref="Length"/> bytes: a whole datagram.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Length].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], MessageType);
        var payload = destination[NlMsg.HeaderLength..];
        payload[0] = (byte)Kind;
        payload[1] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(payload[4..], Value);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[12..], Second);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[20..], Third);
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out ConntrackMark mark)
    {
        mark = default;
        if (payload.Length != PayloadLength || payload[1] != Version || payload[0] is < (byte)ConntrackMarkKind.Start or > (byte)ConntrackMarkKind.Watched)
        {
            return false;
        }

        mark = new ConntrackMark(
            (ConntrackMarkKind)payload[0],
            BinaryPrimitives.ReadUInt64LittleEndian(payload[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[20..]));
        return true;
    }
}
