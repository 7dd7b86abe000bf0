using System.Buffers.Binary;

namespace Flows.Transport.Intake;

/// <summary>
/// Reads a FlatBuffers table (flatbuffers.dev, internals) from bytes that a stranger wrote. Every offset is checked against the buffer before
/// it is followed; whatever does not fit reads as absent. Nothing is recursive, so depth is bounded by the caller's code.
/// </summary>
internal readonly ref struct FlatTable
{
    private readonly ReadOnlySpan<byte> bytes;
    private readonly int table;
    private readonly int vtable;
    private readonly int vtableBytes;
    private readonly int tableBytes;

    private FlatTable(ReadOnlySpan<byte> bytes, int table, int vtable, int vtableBytes, int tableBytes)
    {
        this.bytes = bytes;
        this.table = table;
        this.vtable = vtable;
        this.vtableBytes = vtableBytes;
        this.tableBytes = tableBytes;
    }

    /// <summary>The table at the root of a buffer.</summary>
    public static bool TryRoot(ReadOnlySpan<byte> bytes, out FlatTable root)
    {
        root = default;
        return TryFollow(bytes, 0, out var position) && TryAt(bytes, position, out root);
    }

    /// <summary>True when the field is present.</summary>
    public bool Has(int field) => FieldAt(field, 1) >= 0;

    public byte Byte(int field, byte absent = 0) => FieldAt(field, 1) is >= 0 and var at ? bytes[at] : absent;

    public short Short(int field, short absent = 0) => FieldAt(field, 2) is >= 0 and var at ? BinaryPrimitives.ReadInt16LittleEndian(bytes[at..]) : absent;

    public int Int(int field, int absent = 0) => FieldAt(field, 4) is >= 0 and var at ? BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]) : absent;

    public long Long(int field, long absent = 0) => FieldAt(field, 8) is >= 0 and var at ? BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]) : absent;

    /// <summary>The table that the field refers to.</summary>
    public bool TryTable(int field, out FlatTable child)
    {
        child = default;
        return FieldAt(field, 4) is >= 0 and var at && TryFollow(bytes, at, out var position) && TryAt(bytes, position, out child);
    }

    /// <summary>The elements of a vector or the characters of a string, as bytes.</summary>
    public bool TryVector(int field, int elementBytes, out ReadOnlySpan<byte> elements, out int count)
    {
        elements = default;
        count = 0;
        if (FieldAt(field, 4) is not (>= 0 and var at) || !TryFollow(bytes, at, out var position) || bytes.Length - position < 4)
        {
            return false;
        }

        count = BinaryPrimitives.ReadInt32LittleEndian(bytes[position..]);
        if (count < 0 || (long)count * elementBytes > bytes.Length - position - 4)
        {
            return false;
        }

        elements = bytes.Slice(position + 4, count * elementBytes);
        return true;
    }

    /// <summary>The table at an index of a vector of tables.</summary>
    public bool TryTableAt(int field, int index, out FlatTable child)
    {
        child = default;
        if (!TryVector(field, 4, out var elements, out var count) || index < 0 || index >= count)
        {
            return false;
        }

        bytes.Overlaps(elements, out var start);
        return TryFollow(bytes, start + (index * 4), out var position) && TryAt(bytes, position, out child);
    }

    private static bool TryFollow(ReadOnlySpan<byte> bytes, int at, out int position)
    {
        position = 0;
        if (bytes.Length - at < 4)
        {
            return false;
        }

        var target = at + (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
        position = (int)Math.Min(target, int.MaxValue);
        return target < bytes.Length;
    }

    private static bool TryAt(ReadOnlySpan<byte> bytes, int table, out FlatTable found)
    {
        found = default;
        if (bytes.Length - table < 4)
        {
            return false;
        }

        var vtable = table - (long)BinaryPrimitives.ReadInt32LittleEndian(bytes[table..]);
        if (vtable < 0 || vtable > bytes.Length - 4)
        {
            return false;
        }

        var vtableBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(int)vtable..]);
        var tableBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes[((int)vtable + 2)..]);
        if (vtableBytes < 4 || vtableBytes > bytes.Length - vtable || tableBytes < 4 || tableBytes > bytes.Length - table)
        {
            return false;
        }

        found = new FlatTable(bytes, table, (int)vtable, vtableBytes, tableBytes);
        return true;
    }

    /// <summary>Where the field's bytes begin; -1 where it is absent or would lie outside its table.</summary>
    private int FieldAt(int field, int fieldBytes)
    {
        var slot = 4 + (field * 2);
        if (slot + 2 > vtableBytes)
        {
            return -1;
        }

        var offset = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(vtable + slot)..]);
        return offset >= 4 && offset + fieldBytes <= tableBytes ? table + offset : -1;
    }
}
