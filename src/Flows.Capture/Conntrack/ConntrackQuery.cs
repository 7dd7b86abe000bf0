using System.Buffers.Binary;

namespace Flows.Capture.Conntrack;

/// <summary>Builds requests to the kernel: a dump of all entries, and gets of entries by their original tuple and zone, and what the kernel counts.</summary>
internal static class ConntrackQuery
{
    /// <summary>More than any single request takes: headers, two IPv6 addresses, ports, protocol, zone.</summary>
    public const int LengthMax = 128;

    /// <summary>Asks for every entry of both address families. Returns the request's length.</summary>
    public static int WriteDump(Span<byte> destination, uint sequence) => WritePlain(destination, CtMsg.Get, NlMsg.FlagDump, sequence);

    /// <summary>Asks for the counters of each processor: what a full table refused or threw out. Returns the request's length.</summary>
    public static int WriteStatsCpu(Span<byte> destination, uint sequence) => WritePlain(destination, CtMsg.GetStatsCpu, NlMsg.FlagDump, sequence);

    /// <summary>Asks how many entries there are and may be. Returns the request's length.</summary>
    public static int WriteStats(Span<byte> destination, uint sequence) => WritePlain(destination, CtMsg.GetStats, 0, sequence);

    /// <summary>Asks for one entry of a protocol that has ports. Returns the request's length.</summary>
    public static int WriteGet(Span<byte> destination, uint sequence, in ConntrackKey key)
    {
        destination[..LengthMax].Clear();
        var isV4 = key.Orig.Src.IsV4;
        destination[NlMsg.HeaderLength] = (byte)(isV4 ? 2 : 10);
        var at = NlMsg.HeaderLength + CtMsg.GenericHeaderLength;

        var tuple = at;
        at += CtAttr.HeaderLength;
        var ip = at;
        at += CtAttr.HeaderLength;
        Span<byte> address = stackalloc byte[16];
        key.Orig.Src.Write(address);
        at = WriteAttribute(destination, at, isV4 ? CtAttr.IpV4Src : CtAttr.IpV6Src, isV4 ? address[12..] : address);
        key.Orig.Dst.Write(address);
        at = WriteAttribute(destination, at, isV4 ? CtAttr.IpV4Dst : CtAttr.IpV6Dst, isV4 ? address[12..] : address);
        CloseNest(destination, ip, at, CtAttr.TupleIp);

        var proto = at;
        at += CtAttr.HeaderLength;
        at = WriteAttribute(destination, at, CtAttr.ProtoNum, [key.Orig.Protocol]);
        at = WriteU16(destination, at, CtAttr.ProtoSrcPort, key.Orig.SrcPort);
        at = WriteU16(destination, at, CtAttr.ProtoDstPort, key.Orig.DstPort);
        CloseNest(destination, proto, at, CtAttr.TupleProto);
        CloseNest(destination, tuple, at, CtAttr.TupleOrig);

        if (key.Zone != 0)
        {
            at = WriteU16(destination, at, CtAttr.Zone, key.Zone);
        }

        WriteHeader(destination, at, CtMsg.Get, NlMsg.FlagRequest, sequence);
        return at;
    }

    private static int WritePlain(Span<byte> destination, ushort type, int flags, uint sequence)
    {
        const int Length = NlMsg.HeaderLength + CtMsg.GenericHeaderLength;
        destination[..Length].Clear();
        WriteHeader(destination, Length, type, NlMsg.FlagRequest | flags, sequence);
        return Length;
    }

    private static void WriteHeader(Span<byte> destination, int length, ushort type, int flags, uint sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], (ushort)flags);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], sequence);
    }

    private static int WriteU16(Span<byte> destination, int at, ushort type, ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return WriteAttribute(destination, at, type, bytes);
    }

    private static int WriteAttribute(Span<byte> destination, int at, ushort type, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination[at..], (ushort)(CtAttr.HeaderLength + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(destination[(at + 2)..], type);
        value.CopyTo(destination[(at + CtAttr.HeaderLength)..]);
        return at + NlMsg.Align(CtAttr.HeaderLength + value.Length);
    }

    private static void CloseNest(Span<byte> destination, int from, int to, ushort type)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination[from..], (ushort)(to - from));
        BinaryPrimitives.WriteUInt16LittleEndian(destination[(from + 2)..], (ushort)(type | CtAttr.Nested));
    }
}
