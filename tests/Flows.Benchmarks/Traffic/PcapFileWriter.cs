using System.Buffers.Binary;
using Flows.Core;

namespace Flows.Benchmarks.Traffic;

/// <summary>Writes a classic pcap file of Ethernet frames with microseconds, the form that every peer reads.</summary>
internal sealed class PcapFileWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly FileStream file;
    private readonly int snaplen;

    public PcapFileWriter(string path, int snaplen)
    {
        this.snaplen = snaplen;
        file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, BufferBytes);
        Span<byte> header = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xA1B2C3D4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], 0x0004_0002);
        header[8..16].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], snaplen);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], 1);
        file.Write(header);
    }

    public long Packets { get; private set; }

    /// <param name="frame">What was captured, of which the first bytes up to the snap length are kept.</param>
    /// <param name="wireLength">What the frame had on the wire.</param>
    /// <param name="timeUs">µs since the epoch; files of this kind end in 2106.</param>
    public void Write(ReadOnlySpan<byte> frame, int wireLength, long timeUs)
    {
        var kept = Math.Min(frame.Length, snaplen);
        Span<byte> header = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(timeUs / UnixTime.Second));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(timeUs % UnixTime.Second));
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], kept);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], wireLength);
        file.Write(header);
        file.Write(frame[..kept]);
        Packets++;
    }

    public void Dispose() => file.Dispose();
}
