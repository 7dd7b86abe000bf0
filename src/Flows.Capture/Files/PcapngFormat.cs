using System.Text;

namespace Flows.Capture.Files;

/// <summary>
/// pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body, length. Several sections, byte orders, interfaces, link types
/// and time resolutions in one file are all in order here.
/// </summary>
internal sealed class PcapngFormat : ICaptureFormat
{
    public const uint SectionHeader = 0x0A0D_0D0A;
    private const uint InterfaceDescription = 1;
    private const uint OldPacket = 2;
    private const uint SimplePacket = 3;
    private const uint EnhancedPacket = 6;

    private const uint ByteOrderMagic = 0x1A2B_3C4D;
    private const int BlockBytesMin = 12;

    /// <summary>Libpcap's own limit for a block.</summary>
    private const uint BlockBytesMax = 1 << 24;

    /// <summary>More interfaces or comments than a real recording has; a crafted file must not fill the memory.</summary>
    private const int InterfacesMax = 65_536;
    private const int CommentsMax = 65_536;

    private readonly List<Interface> interfaces = [];
    private readonly List<string> comments = [];
    private bool bigEndian;
    private long lastTimestampUs;

    public IReadOnlyList<string> Comments => comments;

    /// <summary>Takes the first section header; null if the file is not of this format.</summary>
    public static PcapngFormat? TryOpen(ReadBuffer input)
    {
        // The type of a section header reads the same in both byte orders.
        var start = input.Peek(4);
        if (start.Length < 4 || Endian.U32(start, bigEndian: false) != SectionHeader)
        {
            return null;
        }

        var format = new PcapngFormat();
        return format.TryTakeBlock(input, out _, out var body) && format.BeginSection(body) ? format : null;
    }

    public RecordResult Read(ReadBuffer input, ref CapturedPacket packet)
    {
        while (!input.Peek(1).IsEmpty)
        {
            if (!TryTakeBlock(input, out var type, out var body))
            {
                return RecordResult.Corrupt;
            }

            var isPacket = type is EnhancedPacket or OldPacket or SimplePacket;
            var sound = type switch
            {
                SectionHeader => BeginSection(body),
                InterfaceDescription => AddInterface(body),
                EnhancedPacket => ReadEnhanced(body, ref packet),
                OldPacket => ReadOld(body, ref packet),
                SimplePacket => ReadSimple(body, ref packet),
                _ => true,
            };
            if (!sound || isPacket)
            {
                return sound ? RecordResult.Packet : RecordResult.Corrupt;
            }
        }

        return RecordResult.End;
    }

    private bool TryTakeBlock(ReadBuffer input, out uint type, out ReadOnlySpan<byte> body)
    {
        type = 0;
        body = default;
        var head = input.Peek(BlockBytesMin);
        if (head.Length < BlockBytesMin)
        {
            return false;
        }

        type = Endian.U32(head, bigEndian);
        if (type == SectionHeader && !ReadByteOrder(head[8..]))
        {
            return false;
        }

        var length = Endian.U32(head[4..], bigEndian);
        if (length < BlockBytesMin || length > BlockBytesMax || (length & 3) != 0 || !input.TryTake((int)length, out var block))
        {
            return false;
        }

        body = block[8..^4];
        return Endian.U32(block[^4..], bigEndian) == length;
    }

    private bool ReadByteOrder(ReadOnlySpan<byte> magic)
    {
        bigEndian = Endian.U32(magic, bigEndian: true) == ByteOrderMagic;
        return bigEndian || Endian.U32(magic, bigEndian: false) == ByteOrderMagic;
    }

    private bool BeginSection(ReadOnlySpan<byte> body)
    {
        const int Fixed = 16;
        if (body.Length < Fixed || Endian.U16(body[4..], bigEndian) != 1)
        {
            return false;
        }

        interfaces.Clear();
        var options = new PcapngOptions(body[Fixed..], bigEndian);
        while (options.TryNext(out var code, out var value))
        {
            if (code == PcapngOptions.Comment && comments.Count < CommentsMax)
            {
                comments.Add(Encoding.UTF8.GetString(value));
            }
        }

        return true;
    }

    private bool AddInterface(ReadOnlySpan<byte> body)
    {
        const int Fixed = 8;
        if (body.Length < Fixed || interfaces.Count == InterfacesMax)
        {
            return false;
        }

        var name = "";
        var unitsPerSecond = 1_000_000UL;
        var offsetSeconds = 0L;
        var options = new PcapngOptions(body[Fixed..], bigEndian);
        while (options.TryNext(out var code, out var value))
        {
            switch (code)
            {
                case PcapngOptions.InterfaceName:
                    name = Encoding.UTF8.GetString(value).TrimEnd('\0');
                    break;
                case PcapngOptions.TimeResolution when value.Length >= 1:
                    if (!PcapngOptions.TryReadResolution(value[0], out unitsPerSecond))
                    {
                        return false;
                    }

                    break;
                case PcapngOptions.TimeOffset when value.Length >= 8:
                    offsetSeconds = Endian.I64(value, bigEndian);
                    break;
            }
        }

        interfaces.Add(new Interface(
            Endian.U16(body, bigEndian), Endian.U32(body[4..], bigEndian), name, new CaptureTime(unitsPerSecond, offsetSeconds)));
        return true;
    }

    private bool ReadEnhanced(ReadOnlySpan<byte> body, ref CapturedPacket packet) =>
        body.Length >= 20 && ReadPacket(body, Endian.U32(body, bigEndian), ref packet);

    /// <summary>The packet block of old: a 16-bit interface and a drop count stand where the 32-bit interface is now.</summary>
    private bool ReadOld(ReadOnlySpan<byte> body, ref CapturedPacket packet) =>
        body.Length >= 20 && ReadPacket(body, Endian.U16(body, bigEndian), ref packet);

    private bool ReadPacket(ReadOnlySpan<byte> body, uint interfaceId, ref CapturedPacket packet)
    {
        const int Fixed = 20;
        var captured = Endian.U32(body[12..], bigEndian);
        if (interfaceId >= interfaces.Count || captured > body.Length - Fixed)
        {
            return false;
        }

        var units = ((ulong)Endian.U32(body[4..], bigEndian) << 32) | Endian.U32(body[8..], bigEndian);
        lastTimestampUs = interfaces[(int)interfaceId].Time.ToUs(units);
        Fill(ref packet, (int)interfaceId, body.Slice(Fixed, (int)captured), Endian.U32(body[16..], bigEndian));
        return true;
    }

    /// <summary>A simple packet has no time of its own: it gets that of the packet before it.</summary>
    private bool ReadSimple(ReadOnlySpan<byte> body, ref CapturedPacket packet)
    {
        const int Fixed = 4;
        if (body.Length < Fixed || interfaces.Count == 0)
        {
            return false;
        }

        var wire = Endian.U32(body, bigEndian);
        var snaplen = interfaces[0].Snaplen == 0 ? uint.MaxValue : interfaces[0].Snaplen;
        var captured = Math.Min(wire, Math.Min(snaplen, (uint)(body.Length - Fixed)));
        Fill(ref packet, 0, body.Slice(Fixed, (int)captured), wire);
        return true;
    }

    private void Fill(ref CapturedPacket packet, int interfaceId, ReadOnlySpan<byte> data, uint wire)
    {
        packet.Data = data;
        packet.LinkType = interfaces[interfaceId].LinkType;
        packet.WireLength = (int)Math.Min(wire, int.MaxValue);
        packet.TimestampUs = lastTimestampUs;
        packet.InterfaceName = interfaces[interfaceId].Name;
    }

    private sealed record Interface(int LinkType, uint Snaplen, string Name, CaptureTime Time);
}
