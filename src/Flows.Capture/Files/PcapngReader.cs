using System.Buffers.Binary;
using System.Text;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>pcapng (draft-ietf-opsawg-pcapng): several sections, interfaces of different link types, times of any resolution.</summary>
internal sealed class PcapngReader(CaptureStream stream)
{
    public const uint SectionHeader = 0x0A0D0D0A;

    private const uint ByteOrderMagic = 0x1A2B3C4D;
    private const uint InterfaceDescription = 1;
    private const uint ObsoletePacket = 2;
    private const uint SimplePacket = 3;
    private const uint EnhancedPacket = 6;

    private const ushort OptionComment = 1;
    private const ushort OptionInterfaceName = 2;
    private const ushort OptionTimeResolution = 9;
    private const ushort OptionTimeOffset = 14;

    // Block type and total length before the body, total length after it.
    private const int Overhead = 12;

    // A whole netlink dump part is 256 KiB at most; beyond 16 MiB the length is damage, and memory is not for damage.
    private const uint BlockMax = 16 << 20;
    private const int InterfacesMax = 65_536;

    private readonly List<Interface> interfaces = [];
    private readonly List<string> comments = [];
    private bool bigEndian;
    private long lastUs;

    public IReadOnlyList<string> Comments => comments;

    public bool TryReadNext(out CapturedPacket packet)
    {
        while (true)
        {
            packet = default;
            var head = stream.Peek(Overhead);
            if (head.IsEmpty)
            {
                return false;
            }

            head = stream.Need(Overhead);
            if (BinaryPrimitives.ReadUInt32LittleEndian(head) == SectionHeader)
            {
                BeginSection(head);
            }

            var type = U32(head);
            var length = U32(head[4..]);
            if (length is < Overhead or > BlockMax || length % 4 != 0)
            {
                throw stream.Broken($"is corrupt: a block claims {length} bytes");
            }

            var block = stream.Need((int)length);
            if (U32(block[^4..]) != length)
            {
                throw stream.Broken("is corrupt: a block's two lengths differ");
            }

            var found = TryRead(type, block[8..^4], out packet);
            stream.Skip(block.Length);
            if (found)
            {
                stream.Packets++;
                return true;
            }
        }
    }

    /// <summary>A section has its own byte order and its own interfaces.</summary>
    private void BeginSection(ReadOnlySpan<byte> head)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        if (magic != ByteOrderMagic && BinaryPrimitives.ReverseEndianness(magic) != ByteOrderMagic)
        {
            throw stream.Broken("is corrupt: a section has no byte-order magic");
        }

        bigEndian = magic != ByteOrderMagic;
        interfaces.Clear();
    }

    private bool TryRead(uint type, ReadOnlySpan<byte> body, out CapturedPacket packet)
    {
        packet = default;
        switch (type)
        {
            case SectionHeader when body.Length >= 16:
                ReadOptions(body[16..], interfaceIndex: -1);
                return false;
            case InterfaceDescription when body.Length >= 8 && interfaces.Count < InterfacesMax:
                interfaces.Add(new Interface(U16(body), U32(body[4..]), "", UnitsPerSecond: 1_000_000, OffsetSeconds: 0));
                ReadOptions(body[8..], interfaces.Count - 1);
                return false;
            case EnhancedPacket when body.Length >= 20:
                packet = Read(body[20..], (int)U32(body), (U32(body[4..]), U32(body[8..])), U32(body[12..]), U32(body[16..]));
                return true;
            case ObsoletePacket when body.Length >= 20:
                packet = Read(body[20..], U16(body), (U32(body[4..]), U32(body[8..])), U32(body[12..]), U32(body[16..]));
                return true;
            case SimplePacket when body.Length >= 4 && interfaces.Count > 0:
                packet = ReadSimple(body);
                return true;
            default:
                // Statistics, name resolution, custom blocks: nothing that we need.
                return false;
        }
    }

    private CapturedPacket Read(ReadOnlySpan<byte> data, int interfaceId, (uint High, uint Low) time, uint captured, uint wire)
    {
        if ((uint)interfaceId >= (uint)interfaces.Count)
        {
            throw stream.Broken($"is corrupt: a packet names interface {interfaceId} of {interfaces.Count}");
        }

        if (captured > data.Length)
        {
            throw stream.Broken($"is corrupt: a packet claims {captured} captured bytes in a block of {data.Length}");
        }

        var from = interfaces[interfaceId];
        lastUs = from.ToUs(((ulong)time.High << 32) | time.Low);
        return new CapturedPacket(data[..(int)captured], from.LinkType, (int)Math.Min(wire, int.MaxValue), lastUs, from.Name);
    }

    /// <summary>A simple packet has no time of its own: it takes that of the packet before.</summary>
    private CapturedPacket ReadSimple(ReadOnlySpan<byte> body)
    {
        var from = interfaces[0];
        var wire = U32(body);
        var captured = Math.Min(Math.Min(wire, from.SnapLength == 0 ? uint.MaxValue : from.SnapLength), (uint)(body.Length - 4));
        return new CapturedPacket(body.Slice(4, (int)captured), from.LinkType, (int)Math.Min(wire, int.MaxValue), lastUs, from.Name);
    }

    private void ReadOptions(ReadOnlySpan<byte> options, int interfaceIndex)
    {
        while (options.Length >= 4)
        {
            var (code, length) = (U16(options), U16(options[2..]));
            if (code == 0 || options.Length < 4 + length)
            {
                return;
            }

            Apply(code, options.Slice(4, length), interfaceIndex);
            options = options[Math.Min(options.Length, 4 + ((length + 3) & ~3))..];
        }
    }

    private void Apply(ushort code, ReadOnlySpan<byte> value, int interfaceIndex)
    {
        if (interfaceIndex < 0)
        {
            if (code == OptionComment)
            {
                comments.Add(Encoding.UTF8.GetString(value));
            }

            return;
        }

        var known = interfaces[interfaceIndex];
        interfaces[interfaceIndex] = code switch
        {
            OptionInterfaceName => known with { Name = Encoding.UTF8.GetString(value) },

            // A power of ten, or of two where the high bit is set. Beyond 2^63 nothing can be counted in 64 bits.
            OptionTimeResolution when value.Length == 1 && (value[0] & 0x80) != 0 => known with { UnitsPerSecond = 1UL << Math.Min(value[0] & 0x7F, 63) },
            OptionTimeResolution when value.Length == 1 => known with { UnitsPerSecond = (ulong)Math.Pow(10, Math.Min((int)value[0], 19)) },
            OptionTimeOffset when value.Length == 8 => known with { OffsetSeconds = (long)(bigEndian ? BinaryPrimitives.ReadUInt64BigEndian(value) : BinaryPrimitives.ReadUInt64LittleEndian(value)) },
            _ => known,
        };
    }

    private ushort U16(ReadOnlySpan<byte> bytes) => bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private uint U32(ReadOnlySpan<byte> bytes) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private readonly record struct Interface(int LinkType, uint SnapLength, string Name, ulong UnitsPerSecond, long OffsetSeconds)
    {
        /// <summary>Microseconds since the epoch; a nonsense time wraps, it does not throw.</summary>
        public long ToUs(ulong units) => unchecked((long)((UInt128)units * 1_000_000 / UnitsPerSecond) + (OffsetSeconds * UnixTime.Second));
    }
}
