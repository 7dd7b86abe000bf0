using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Flows.Capture.Files;
using Flows.Core;
using Xunit;

namespace Flows.Tests.Capture;

public sealed class CaptureFileReaderTests
{
    [Theory]
    [InlineData(0xA1B2C3D4, false, 123_456u)]
    [InlineData(0xA1B2C3D4, true, 123_456u)]
    [InlineData(0xA1B23C4D, false, 123_456_789u)]
    [InlineData(0xA1B2CD34, true, 123_456u)]
    public void Classic_files_of_both_byte_orders_are_read(uint magic, bool bigEndian, uint fraction)
    {
        byte[] extra = magic == 0xA1B2CD34 ? new byte[8] : [];
        byte[] file =
        [
            .. U32(magic, bigEndian), .. U16(2, bigEndian), .. U16(4, bigEndian), .. new byte[8], .. U32(65535, bigEndian), .. U32(1, bigEndian),
            .. U32(1000, bigEndian), .. U32(fraction, bigEndian), .. U32(3, bigEndian), .. U32(1500, bigEndian), .. extra, 7, 8, 9,
        ];
        using var reader = CaptureFileReader.Open(new MemoryStream(file), "test");

        Assert.True(reader.TryReadNext(out var packet));
        Assert.Equal([7, 8, 9], packet.Data.ToArray());
        Assert.Equal((1_000_123_456L, 1, 1500), (packet.TimestampUs, packet.LinkType, packet.WireLength));
        Assert.False(reader.TryReadNext(out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sections_with_interfaces_of_several_link_types_and_clocks_are_read(bool bigEndian)
    {
        byte[] file =
        [
            .. Section(bigEndian, "first"), .. Interface(bigEndian, 1, "eth0", resolution: 9), .. Interface(bigEndian, 253, "nlmon0", resolution: 6),
            .. Block(0x0BAD, new byte[12], bigEndian),
            .. Enhanced(bigEndian, 0, 5_000_001_000, [1, 2, 3]), .. Enhanced(bigEndian, 1, 6_000_000, [4]),
            .. Section(!bigEndian, "second"), .. Interface(!bigEndian, 101, "tun0", resolution: 0x8A),
            .. Enhanced(!bigEndian, 0, 7 * 1024, [5]), .. Block(3, [.. U32(60, !bigEndian), 6, 7, 0, 0], !bigEndian),
        ];
        using var reader = CaptureFileReader.Open(new MemoryStream(file), "test");
        Assert.Equal(["first"], reader.Comments);

        var packets = new List<(int LinkType, long TimestampUs, string Interface, int Bytes)>();
        while (reader.TryReadNext(out var packet))
        {
            packets.Add((packet.LinkType, packet.TimestampUs, packet.InterfaceName, packet.Data.Length));
        }

        Assert.Equal([(1, 5_000_001L, "eth0", 3), (253, 6_000_000L, "nlmon0", 1), (101, 7_000_000L, "tun0", 1), (101, 7_000_000L, "tun0", 4)], packets);
        Assert.Equal(["first", "second"], reader.Comments);
    }

    [Fact]
    public void Every_truncation_delivers_what_is_whole_and_says_where_it_ends()
    {
        byte[] file = [.. Section(false, "c"), .. Interface(false, 1, "eth0", 6), .. Enhanced(false, 0, 1, [1, 2, 3]), .. Enhanced(false, 0, 2, [4, 5, 6, 7])];
        var sectionBytes = Section(false, "c").Length;
        var interfaceBytes = Interface(false, 1, "eth0", 6).Length;
        for (var length = sectionBytes; length < file.Length; length++)
        {
            using var reader = CaptureFileReader.Open(new MemoryStream(file, 0, length), "cut");
            var whole = length - sectionBytes - interfaceBytes;
            if (whole is -1 or 0 or 36 || length == sectionBytes)
            {
                continue;
            }

            var fault = Assert.Throws<FlowsException>(() => ReadAll(reader));
            Assert.Equal(ExitCode.Failed, fault.ExitCode);
            Assert.Contains($"the {(whole < 36 ? 0 : 1)} packets before it were read", fault.Message);
        }
    }

    [Fact]
    public void A_corrupt_length_neither_allocates_nor_loses_the_packets_before_it()
    {
        byte[] file =
        [
            .. U32(0xA1B2C3D4, false), .. U16(2, false), .. U16(4, false), .. new byte[8], .. U32(65535, false), .. U32(1, false),
            .. new byte[8], .. U32(1, false), .. U32(1, false), 9, .. new byte[8], .. U32(uint.MaxValue, false), .. U32(1, false), 9,
        ];
        using var reader = CaptureFileReader.Open(new MemoryStream(file), "x.pcap");

        var fault = Assert.Throws<FlowsException>(() => ReadAll(reader));
        Assert.Equal("x.pcap: truncated or corrupt at byte 41; the 1 packets before it were read.", fault.Message);
    }

    [Fact]
    public void What_is_no_capture_is_a_wrong_question()
    {
        foreach (var content in new byte[][] { [], [0xD4], Encoding.UTF8.GetBytes("hello, this is certainly not a capture file") })
        {
            Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => CaptureFileReader.Open(new MemoryStream(content), "x")).ExitCode);
        }

        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => CaptureFileReader.Open("/nonexistent/x.pcap")).ExitCode);
        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => CaptureFileReader.Open("/")).ExitCode);
    }

    [Fact]
    public void Mutated_files_end_or_fail_cleanly()
    {
        byte[] sound = [.. Section(false, "c"), .. Interface(false, 1, "eth0", 9), .. Enhanced(false, 0, 1, new byte[60]), .. Interface(false, 1, "b", 6), .. Enhanced(false, 1, 1, new byte[9])];
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var turn = 0; turn < 2000; turn++)
        {
            byte[] file = [.. sound];
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                file[random.Next(file.Length)] = (byte)random.Next(256);
            }

            try
            {
                using var reader = CaptureFileReader.Open(new MemoryStream(file), "mutated");
                ReadAll(reader);
            }
            catch (FlowsException)
            {
                // The only exception that a damaged file may cause.
            }
        }
    }

    [Fact]
    public void A_compressed_capture_reads_as_the_capture_whatever_its_name()
    {
        var plain = Read(Sound(packets: 500));
        var zipped = Gzip(Sound(packets: 500));
        Assert.Equal(plain, Read(zipped));

        // Members one behind another are one file (RFC 1952 2.2), cut wherever a log rotation cuts.
        var whole = Sound(packets: 500);
        Assert.Equal(plain, Read([.. Gzip(whole[..1000]), .. Gzip(whole[1000..])]));
    }

    [Fact]
    public void Every_truncation_of_a_compressed_capture_delivers_what_was_readable_and_says_so()
    {
        var zipped = Gzip(Sound(packets: 20));
        var readable = 0L;
        for (var length = 0; length < zipped.Length; length++)
        {
            try
            {
                using var reader = CaptureFileReader.Open(new MemoryStream(zipped, 0, length), "x.gz");
                var fault = Assert.Throws<FlowsException>(() => ReadAll(reader));
                Assert.Equal(ExitCode.Failed, fault.ExitCode);
                Assert.Equal($"x.gz: its compressed data is cut short or damaged at its end, byte {length}; the {reader.Packets} packets before it were read.", fault.Message);
                Assert.True(reader.Packets >= readable);
                readable = reader.Packets;
            }
            catch (FlowsException e) when (e.ExitCode == ExitCode.Usage)
            {
                Assert.Contains("not a capture file", e.Message, StringComparison.Ordinal);
                Assert.Equal(0, readable);
            }
        }

        Assert.Equal(20, readable);
    }

    [Fact]
    public void Damage_within_compressed_data_is_told_with_its_place()
    {
        var zipped = Gzip(Sound(packets: 5000));
        zipped[zipped.Length / 2] ^= 0x55;
        using var reader = CaptureFileReader.Open(new MemoryStream(zipped), "x.gz");

        var fault = Assert.Throws<FlowsException>(() => ReadAll(reader));
        Assert.Contains("byte", fault.Message, StringComparison.Ordinal);
        Assert.InRange(reader.Packets, 1, 4999);
    }

    [Fact]
    public void What_is_compressed_and_no_capture_is_a_wrong_question()
    {
        var fault = Assert.Throws<FlowsException>(() => CaptureFileReader.Open(new MemoryStream(Gzip("hello, I am no capture at all"u8.ToArray())), "x.gz"));
        Assert.Equal((ExitCode.Usage, "x.gz: is not a capture file within gzip; pcap and pcapng are read, as they are or compressed with gzip."), (fault.ExitCode, fault.Message));
    }

    [Fact]
    public void Packets_of_a_slow_stream_come_as_they_come()
    {
        var bytes = Sound(packets: 3);
        using var reader = CaptureFileReader.Open(new DrippingStream(bytes), "drip");
        ReadAll(reader);
        Assert.Equal(3, reader.Packets);
        using var zipped = CaptureFileReader.Open(new DrippingStream(Gzip(bytes)), "drip");
        ReadAll(zipped);
        Assert.Equal(3, zipped.Packets);
    }

    private static byte[] Sound(int packets)
    {
        // Bytes that do not compress, so that a cut of the compressed file loses packets and not only the last of them.
        var random = new Random(1);
        var file = new List<byte>([.. Section(false, "c"), .. Interface(false, 1, "eth0", 9)]);
        for (var packet = 0; packet < packets; packet++)
        {
            var data = new byte[60];
            random.NextBytes(data);
            file.AddRange(Enhanced(false, 0, (ulong)packet * 1000, data));
        }

        return [.. file];
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
    }

    private static List<(long TimestampUs, string Data)> Read(byte[] file)
    {
        using var reader = CaptureFileReader.Open(new MemoryStream(file), "test");
        var packets = new List<(long, string)>();
        while (reader.TryReadNext(out var packet))
        {
            packets.Add((packet.TimestampUs, Convert.ToHexString(packet.Data)));
        }

        return packets;
    }

    private static void ReadAll(CaptureFileReader reader)
    {
        while (reader.TryReadNext(out _))
        {
        }
    }

    private static byte[] Section(bool bigEndian, string comment) => Block(
        0x0A0D0D0A, [.. U32(0x1A2B3C4D, bigEndian), .. U16(1, bigEndian), .. U16(0, bigEndian), .. Enumerable.Repeat((byte)0xFF, 8), .. Option(1, Encoding.UTF8.GetBytes(comment), bigEndian)], bigEndian);

    private static byte[] Interface(bool bigEndian, ushort linkType, string name, byte resolution) => Block(
        1, [.. U16(linkType, bigEndian), 0, 0, .. U32(0, bigEndian), .. Option(2, Encoding.UTF8.GetBytes(name), bigEndian), .. Option(9, [resolution], bigEndian), .. new byte[4]], bigEndian);

    private static byte[] Enhanced(bool bigEndian, uint of, ulong units, byte[] data) => Block(
        6, [.. U32(of, bigEndian), .. U32((uint)(units >> 32), bigEndian), .. U32((uint)units, bigEndian), .. U32((uint)data.Length, bigEndian), .. U32((uint)data.Length, bigEndian), .. Padded(data)], bigEndian);

    private static byte[] Option(ushort code, byte[] value, bool bigEndian) => [.. U16(code, bigEndian), .. U16((ushort)value.Length, bigEndian), .. Padded(value)];

    private static byte[] Block(uint type, byte[] body, bool bigEndian)
    {
        var length = U32((uint)body.Length + 12, bigEndian);
        return [.. U32(type, bigEndian), .. length, .. body, .. length];
    }

    /// <summary>A pipe whose writer is slow: one byte a read.</summary>
    private sealed class DrippingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1)]);
    }

    private static byte[] Padded(byte[] value) => [.. value, .. new byte[-value.Length & 3]];

    private static byte[] U16(ushort value, bool bigEndian)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, bigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
        return bytes;
    }

    private static byte[] U32(uint value, bool bigEndian)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, bigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
        return bytes;
    }
}
