using System.Buffers.Binary;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>Classic pcap (draft-ietf-opsawg-pcap): microsecond and nanosecond times, and the variant with longer record headers.</summary>
internal sealed class PcapReader
{
    private const int FileHeader = 24;
    private const int RecordHeader = 16;

    // Alexey Kuznetsov's variant adds interface, protocol and packet type to each record.
    private const int ModifiedRecordHeader = 24;

    // libpcap's MAXIMUM_SNAPLEN. A longer record is damage, and following it would read garbage as packets.
    private const uint CapturedMax = 262_144;

    private readonly CaptureStream stream;
    private readonly bool bigEndian;
    private readonly int recordHeader;
    private readonly int fractionPerUs;
    private readonly int linkType;

    private PcapReader(CaptureStream stream, bool bigEndian, int recordHeader, int fractionPerUs)
    {
        (this.stream, this.bigEndian, this.recordHeader, this.fractionPerUs) = (stream, bigEndian, recordHeader, fractionPerUs);

        // The upper bits tell about frame check sequences.
        linkType = (int)(U32(stream.Need(FileHeader)[20..]) & 0x0FFF_FFFF);
        stream.Skip(FileHeader);
    }

    /// <summary>Reads the file header, or null where it is none.</summary>
    public static PcapReader? TryOpen(CaptureStream stream)
    {
        var magic = stream.Peek(4);
        if (magic.Length < 4)
        {
            return null;
        }

        var little = BinaryPrimitives.ReadUInt32LittleEndian(magic);
        return Open(little, bigEndian: false) ?? Open(BinaryPrimitives.ReverseEndianness(little), bigEndian: true);

        PcapReader? Open(uint value, bool bigEndian) => value switch
        {
            0xA1B2C3D4 => new(stream, bigEndian, RecordHeader, 1),
            0xA1B23C4D => new(stream, bigEndian, RecordHeader, 1000),
            0xA1B2CD34 => new(stream, bigEndian, ModifiedRecordHeader, 1),
            _ => null,
        };
    }

    public bool TryReadNext(out CapturedPacket packet)
    {
        packet = default;
        var header = stream.Peek(recordHeader);
        if (header.IsEmpty)
        {
            return false;
        }

        header = stream.Need(recordHeader);
        var captured = U32(header[8..]);
        if (captured > CapturedMax)
        {
            throw stream.Broken($"is corrupt: a record claims {captured} captured bytes");
        }

        var record = stream.Need(recordHeader + (int)captured);
        var timeUs = (U32(record) * UnixTime.Second) + (U32(record[4..]) / fractionPerUs);
        packet = new CapturedPacket(record[recordHeader..], linkType, (int)Math.Min(U32(record[12..]), int.MaxValue), timeUs, "");
        stream.Skip(record.Length);
        stream.Packets++;
        return true;
    }

    private uint U32(ReadOnlySpan<byte> bytes) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
