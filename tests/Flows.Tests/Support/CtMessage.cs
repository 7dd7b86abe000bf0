using System.Buffers.Binary;
using System.Text;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>Builds ctnetlink datagrams as the kernel would, attribute by attribute.</summary>
internal sealed record CtMessage
{
    public bool IsNew { get; init; }

    public bool IsDestroy { get; init; }

    public bool IsDump { get; init; }

    public uint Sequence { get; init; }

    public string Src { get; init; } = "10.0.0.1";

    public string Dst { get; init; } = "10.0.0.2";

    public ushort SrcPort { get; init; } = 40000;

    public ushort DstPort { get; init; } = 80;

    public string? ReplySrc { get; init; }

    public string? ReplyDst { get; init; }

    public ushort? ReplySrcPort { get; init; }

    public ushort? ReplyDstPort { get; init; }

    public byte Protocol { get; init; } = IpProtocol.Tcp;

    public uint Id { get; init; } = 7;

    public ushort Zone { get; init; }

    public uint Status { get; init; } = 8;

    public byte? TcpState { get; init; }

    public byte? TcpFlags { get; init; }

    public byte? SctpState { get; init; }

    /// <summary>Seconds that a destroyed entry still had; 0 when its time was up.</summary>
    public uint TimeLeft { get; init; }

    public (ulong Packets, ulong Bytes)? Orig { get; init; }

    public (ulong Packets, ulong Bytes)? Reply { get; init; }

    public bool Counters32 { get; init; }

    public ulong StartUs { get; init; }

    public ulong StopUs { get; init; }

    public ulong EventUs { get; init; }

    public (byte Type, byte Code) Icmp { get; init; } = (8, 0);

    public byte[] Build()
    {
        var body = new List<byte> { (byte)(Src.Contains(':') ? 10 : 2), 0, 0, 0 };
        body.AddRange(Nest(1, Tuple(Src, Dst, SrcPort, DstPort, isReply: false)));
        body.AddRange(Nest(2, Tuple(ReplySrc ?? Dst, ReplyDst ?? Src, ReplySrcPort ?? DstPort, ReplyDstPort ?? SrcPort, isReply: true)));
        body.AddRange(Attribute(3, U32(Status)));

        // The kernel leaves out what is zero, and the time of an entry that ran out is.
        body.AddRange(!IsDestroy || TimeLeft != 0 ? Attribute(7, U32(IsDestroy ? TimeLeft : 120)) : []);
        if (TcpState is { } state)
        {
            byte[] flags = TcpFlags is { } orig ? [.. Attribute(4, [orig, 0]), .. Attribute(5, [orig, 0])] : [];
            body.AddRange(Nest(4, Nest(1, [.. Attribute(1, [state]), .. flags])));
        }

        body.AddRange(SctpState is { } sctp ? Nest(4, Nest(3, Attribute(1, [sctp]))) : []);

        body.AddRange(Counters(9, Orig));
        body.AddRange(Counters(10, Reply));
        body.AddRange(Attribute(12, U32(Id)));
        body.AddRange(Zone != 0 ? Attribute(18, U16(Zone)) : []);
        if (StartUs != 0)
        {
            body.AddRange(Nest(20, [.. Attribute(1, U64(StartUs * 1000)), .. StopUs == 0 ? [] : Attribute(2, U64(StopUs * 1000))]));
        }

        body.AddRange(EventUs != 0 ? Attribute(27, U64(EventUs * 1000)) : []);
        var flagBits = (ushort)((IsNew ? 0x600 : 0) | (IsDump ? 2 : 0));
        return Header((ushort)(IsDestroy ? 0x102 : 0x100), flagBits, Sequence, [.. body]);
    }

    public static byte[] Header(ushort type, ushort flags, uint sequence, byte[] body)
    {
        var datagram = new byte[16 + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(datagram, (uint)datagram.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram.AsSpan(6), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(datagram.AsSpan(8), sequence);
        body.CopyTo(datagram, 16);
        return datagram;
    }

    public static byte[] Attribute(ushort type, byte[] value)
    {
        var attribute = new byte[(4 + value.Length + 3) & ~3];
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute.AsSpan(2), type);
        value.CopyTo(attribute, 4);
        return attribute;
    }

    // The record would print itself member by member; a test's failure wants one line.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{Src}:{SrcPort} > {Dst}:{DstPort} id {Id}");
        return true;
    }

    private byte[] Tuple(string src, string dst, ushort srcPort, ushort dstPort, bool isReply)
    {
        var isV6 = src.Contains(':');
        byte[] ip = [.. Attribute((ushort)(isV6 ? 3 : 1), Address(src)), .. Attribute((ushort)(isV6 ? 4 : 2), Address(dst))];
        byte[] ports = Protocol switch
        {
            IpProtocol.Icmp =>
            [
                .. Attribute(4, U16(isReply ? dstPort : srcPort)), .. Attribute(5, [isReply ? (byte)0 : Icmp.Type]), .. Attribute(6, [Icmp.Code]),
            ],
            _ => [.. Attribute(2, U16(srcPort)), .. Attribute(3, U16(dstPort))],
        };
        return [.. Nest(1, ip), .. Nest(2, [.. Attribute(1, [Protocol]), .. ports])];
    }

    private byte[] Counters(ushort type, (ulong Packets, ulong Bytes)? counters) => counters switch
    {
        null => [],
        var (packets, bytes) when Counters32 => Nest(type, [.. Attribute(3, U32((uint)packets)), .. Attribute(4, U32((uint)bytes))]),
        var (packets, bytes) => Nest(type, [.. Attribute(1, U64(packets)), .. Attribute(2, U64(bytes))]),
    };

    private static byte[] Nest(ushort type, byte[] value) => Attribute((ushort)(type | 0x8000), value);

    private static byte[] Address(string text) => System.Net.IPAddress.Parse(text).GetAddressBytes();

    private static byte[] U16(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] U32(uint value) => [.. U16((ushort)(value >> 16)), .. U16((ushort)value)];

    private static byte[] U64(ulong value) => [.. U32((uint)(value >> 32)), .. U32((uint)value)];
}
