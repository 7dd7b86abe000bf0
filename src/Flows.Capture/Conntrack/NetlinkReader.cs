using System.Buffers.Binary;

namespace Flows.Capture.Conntrack;

/// <summary>Walks the messages of one netlink datagram. A header that lies about its length ends the walk as malformed.</summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> rest = datagram;

    public ushort Type { get; private set; }

    public ushort Flags { get; private set; }

    public uint Sequence { get; private set; }

    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>The current message could not be delimited; nothing follows it.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Moves to the next message; false at the end.</summary>
    public bool Next()
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        // struct nlmsghdr: u32 length with header, u16 type, u16 flags, u32 sequence, u32 port; host order, little endian on all we run on.
        var length = rest.Length < NlMsg.HeaderLength ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(rest);
        if (length < NlMsg.HeaderLength || length > rest.Length)
        {
            Malformed = true;
            Payload = default;
            rest = default;
            return true;
        }

        Type = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);
        Flags = BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]);
        Sequence = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        Payload = rest[NlMsg.HeaderLength..(int)length];
        rest = rest[Math.Min(NlMsg.Align((int)length), rest.Length)..];
        return true;
    }
}

/// <summary>Walks the attributes of one nest: u16 length with header, u16 type, value, padding to four bytes.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> nest)
{
    private ReadOnlySpan<byte> rest = nest;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Malformed { get; private set; }

    public bool Next()
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        var length = rest.Length < CtAttr.HeaderLength ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length < CtAttr.HeaderLength || length > rest.Length)
        {
            Malformed = true;
            rest = default;
            return false;
        }

        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]) & CtAttr.TypeMask);
        Value = rest[CtAttr.HeaderLength..length];
        rest = rest[Math.Min(NlMsg.Align(length), rest.Length)..];
        return true;
    }
}
