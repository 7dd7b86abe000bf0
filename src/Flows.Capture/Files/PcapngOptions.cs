namespace Flows.Capture.Files;

/// <summary>Walks the options at a block's end: code and length in 16 bits each, the value, padding to four bytes.</summary>
internal ref struct PcapngOptions(ReadOnlySpan<byte> bytes, bool bigEndian)
{
    public const ushort Comment = 1;
    public const ushort InterfaceName = 2;
    public const ushort TimeResolution = 9;
    public const ushort TimeOffset = 14;
    private const ushort End = 0;

    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>The next option; false at the end, and where the options stop making sense: they are commentary, not data.</summary>
    public bool TryNext(out ushort code, out ReadOnlySpan<byte> value)
    {
        code = End;
        value = default;
        if (rest.Length < 4)
        {
            return false;
        }

        code = Endian.U16(rest, bigEndian);
        int length = Endian.U16(rest[2..], bigEndian);
        if (code == End || rest.Length - 4 < length)
        {
            return false;
        }

        value = rest.Slice(4, length);
        rest = rest[Math.Min(rest.Length, 4 + ((length + 3) & ~3))..];
        return true;
    }

    /// <summary>if_tsresol: a negative power of 10, or of 2 with the high bit set. False where 64 bits cannot hold it.</summary>
    public static bool TryReadResolution(byte value, out ulong unitsPerSecond)
    {
        var exponent = value & 0x7F;
        unitsPerSecond = 1;
        if ((value & 0x80) != 0)
        {
            unitsPerSecond <<= exponent;
            return exponent < 64;
        }

        for (var power = 0; power < exponent && power < 19; power++)
        {
            unitsPerSecond *= 10;
        }

        return exponent <= 19;
    }
}
