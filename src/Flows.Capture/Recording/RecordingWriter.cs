using System.Buffers.Binary;
using System.Text;
using Flows.Capture.Packets;

namespace Flows.Capture.Recording;

/// <summary>
/// Writes what a source saw as pcapng (draft-ietf-opsawg-pcapng): one section, an interface per source, times in microseconds. Thread safe.
/// Bounded: what would make the file longer than allowed is left out and counted, so the file always ends with a whole block.
/// </summary>
public sealed class RecordingWriter : IDisposable
{
    /// <summary>LINKTYPE_ETHERNET.</summary>
    public const ushort LinkTypeEthernet = LinkType.Ethernet;

    /// <summary>LINKTYPE_NETLINK: a cooked header of 16 bytes, then the netlink datagram.</summary>
    public const ushort LinkTypeNetlink = LinkType.Netlink;

    private const uint SectionHeaderBlock = 0x0A0D0D0A;
    private const uint InterfaceBlock = 1;
    private const uint EnhancedPacketBlock = 6;
    private const ushort OptionEnd = 0;
    private const ushort OptionComment = 1;
    private const ushort OptionInterfaceName = 2;
    private const ushort OptionTimeResolution = 9;

    // Block type and length before, length after; the enhanced packet's interface, time, captured and original length.
    private const int BlockOverhead = 12;
    private const int PacketFixed = 20;

    private readonly Lock gate = new();
    private readonly Stream stream;
    private readonly long bytesMax;
    private byte[] block = new byte[4096];
    private int interfaces;
    private bool closed;

    /// <param name="stream">Where the file goes; the writer closes it.</param>
    /// <param name="bytesMax">The most bytes that the file may take.</param>
    /// <param name="comments">Kept in the section header as opt_comment, one each.</param>
    public RecordingWriter(Stream stream, long bytesMax, params ReadOnlySpan<string> comments)
    {
        this.stream = stream;
        this.bytesMax = bytesMax;
        WriteSectionHeader(comments);
    }

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    /// <summary>Packets that did not fit any more.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Adds an interface; its packets carry the number returned.</summary>
    public int AddInterface(string name, ushort linkType)
    {
        lock (gate)
        {
            // Link type, reserved, snap length 0 = none.
            Span<byte> fixedPart = stackalloc byte[8];
            fixedPart.Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(fixedPart, linkType);
            var at = Begin(InterfaceBlock, fixedPart.Length + (4 * name.Length) + 32);
            fixedPart.CopyTo(block.AsSpan(at));
            at = AddOption(at + fixedPart.Length, OptionInterfaceName, Encoding.UTF8.GetBytes(name));
            at = AddOption(at, OptionTimeResolution, [6]);
            at = AddOption(at, OptionEnd, []);
            End(at);
            return interfaces++;
        }
    }

    /// <summary>Writes a packet as it was, of <paramref name="wireLength"/> bytes on the wire. False when it was left out.</summary>
    public bool Write(int interfaceId, ReadOnlySpan<byte> packet, int wireLength, long timeUs) => Write(interfaceId, default, packet, wireLength, timeUs);

    /// <summary>Writes a netlink datagram to an interface of <see cref="LinkTypeNetlink"/>. False when it was left out.</summary>
    public bool WriteNetlink(int interfaceId, ReadOnlySpan<byte> datagram, long timeUs)
    {
        Span<byte> header = stackalloc byte[NetlinkFrame.HeaderLength];
        NetlinkFrame.WriteHeader(header);
        return Write(interfaceId, header, datagram, header.Length + datagram.Length, timeUs);
    }

    /// <summary>Hands what was written to the stream's owner.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (!closed)
            {
                stream.Flush();
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (!closed)
            {
                closed = true;
                stream.Dispose();
            }
        }
    }

    private bool Write(int interfaceId, ReadOnlySpan<byte> header, ReadOnlySpan<byte> packet, int wireLength, long timeUs)
    {
        lock (gate)
        {
            var captured = header.Length + packet.Length;
            var blockLength = BlockOverhead + PacketFixed + Padded(captured);
            if (closed || Length + blockLength > bytesMax)
            {
                LeftOut++;
                return false;
            }

            var at = Begin(EnhancedPacketBlock, PacketFixed + Padded(captured));
            var body = block.AsSpan(at);
            BinaryPrimitives.WriteUInt32LittleEndian(body, (uint)interfaceId);
            BinaryPrimitives.WriteUInt32LittleEndian(body[4..], (uint)((ulong)timeUs >> 32));
            BinaryPrimitives.WriteUInt32LittleEndian(body[8..], (uint)timeUs);
            BinaryPrimitives.WriteUInt32LittleEndian(body[12..], (uint)captured);
            BinaryPrimitives.WriteUInt32LittleEndian(body[16..], (uint)wireLength);
            header.CopyTo(body[PacketFixed..]);
            packet.CopyTo(body[(PacketFixed + header.Length)..]);
            End(at + PacketFixed + Padded(captured));
            return true;
        }
    }

    private void WriteSectionHeader(ReadOnlySpan<string> comments)
    {
        var room = 32;
        foreach (var comment in comments)
        {
            room += 8 + Encoding.UTF8.GetMaxByteCount(comment.Length);
        }

        // Byte-order magic, version 1.0, section length unknown.
        var at = Begin(SectionHeaderBlock, room);
        var body = block.AsSpan(at);
        BinaryPrimitives.WriteUInt32LittleEndian(body, 0x1A2B3C4D);
        BinaryPrimitives.WriteUInt16LittleEndian(body[4..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], -1);
        at += 16;
        foreach (var comment in comments)
        {
            at = AddOption(at, OptionComment, Encoding.UTF8.GetBytes(comment));
        }

        End(comments.IsEmpty ? at : AddOption(at, OptionEnd, []));
    }

    /// <summary>Clears room for a block and returns where its body begins.</summary>
    private int Begin(uint type, int bodyLengthMax)
    {
        if (block.Length < BlockOverhead + bodyLengthMax)
        {
            block = new byte[Math.Max(block.Length * 2, BlockOverhead + bodyLengthMax)];
        }

        block.AsSpan(0, BlockOverhead + bodyLengthMax).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(block, type);
        return 8;
    }

    private int AddOption(int at, ushort code, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at), code);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at + 2), (ushort)value.Length);
        value.CopyTo(block.AsSpan(at + 4));
        return at + 4 + Padded(value.Length);
    }

    private void End(int at)
    {
        var length = at + 4;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4), (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), (uint)length);
        stream.Write(block.AsSpan(0, length));
        Length += length;
    }

    private static int Padded(int length) => (length + 3) & ~3;
}
