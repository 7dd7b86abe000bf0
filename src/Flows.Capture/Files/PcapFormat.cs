using System.Buffers.Binary;

namespace Flows.Capture.Files;

/// <summary>
/// Classic pcap (draft-ietf-opsawg-pcap): a file header, then records of time, captured length, wire length and bytes.
/// Either byte order, microseconds or nanoseconds, and Kuznetzov's variant with eight more bytes a record.
/// </summary>
internal sealed class PcapFormat : ICaptureFormat
{
    public const uint MagicMicroseconds = 0xA1B2C3D4;
    public const uint MagicNanoseconds = 0xA1B23C4D;
    public const uint MagicKuznetzov = 0xA1B2CD34;

    private const int HeaderBytes = 24;

    /// <summary>libpcap's own limit for packets.</summary>
    private const uint CapturedMax = 262_144;

    /// <summary>A file may claim a larger snap length; beyond 16 MiB it is taken for corrupt.</summary>
    private const uint SnaplenMax = 1 << 24;

    private readonly bool bigEndian;
    private readonly bool lengthsMaySwap;
    private readonly int recordHeaderBytes;
    private readonly uint capturedMax;
    private readonly int linkType;
    private readonly CaptureTime time;

    private PcapFormat(ReadOnlySpan<byte> header, uint magic, bool bigEndian)
    {
        this.bigEndian = bigEndian;
        recordHeaderBytes = magic == MagicKuznetzov ? 24 : 16;
        time = new CaptureTime(magic == MagicNanoseconds ? 1_000_000_000UL : 1_000_000UL);

        // Files of version 2.3 and older were written with the two lengths in either order.
        lengthsMaySwap = Endian.U16(header[6..], bigEndian) <= 3;
        capturedMax = Math.Clamp(Endian.U32(header[16..], bigEndian), CapturedMax, SnaplenMax);

        // The upper bits tell of a frame check sequence.
        linkType = (int)(Endian.U32(header[20..], bigEndian) & 0x03FF_FFFF);
    }

    public IReadOnlyList<string> Comments => [];

    /// <summary>Takes the file header; null if the file is not of this format.</summary>
    public static PcapFormat? TryOpen(ReadBuffer input)
    {
        var header = input.Peek(HeaderBytes);
        if (header.Length < HeaderBytes)
        {
            return null;
        }

        var magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var bigEndian = !IsMagic(magic);
        magic = bigEndian ? BinaryPrimitives.ReverseEndianness(magic) : magic;
        if (!IsMagic(magic) || !input.TryTake(HeaderBytes, out header))
        {
            return null;
        }

        return new PcapFormat(header, magic, bigEndian);
    }

    public RecordResult Read(ReadBuffer input, ref CapturedPacket packet)
    {
        var header = input.Peek(recordHeaderBytes);
        if (header.Length < recordHeaderBytes)
        {
            return header.IsEmpty ? RecordResult.End : RecordResult.Corrupt;
        }

        packet.TimestampUs = time.ToUs(Endian.U32(header, bigEndian), Endian.U32(header[4..], bigEndian));
        var captured = Endian.U32(header[8..], bigEndian);
        var wire = Endian.U32(header[12..], bigEndian);
        if (lengthsMaySwap && captured > wire)
        {
            (captured, wire) = (wire, captured);
        }

        if (captured > capturedMax || !input.TryTake(recordHeaderBytes + (int)captured, out var record))
        {
            return RecordResult.Corrupt;
        }

        packet.Data = record[recordHeaderBytes..];
        packet.LinkType = linkType;
        packet.WireLength = (int)Math.Min(wire, int.MaxValue);
        packet.InterfaceName = "";
        return RecordResult.Packet;
    }

    private static bool IsMagic(uint magic) => magic is MagicMicroseconds or MagicNanoseconds or MagicKuznetzov;
}
