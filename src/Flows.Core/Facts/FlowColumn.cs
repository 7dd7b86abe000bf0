using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Apache.Arrow.Types;

namespace Flows.Core.Facts;

/// <summary>One column of the fact table: its public name, its types in Arrow and in the store, and how a row fills it.</summary>
/// <remarks>Every column has a fixed width: that is what makes a foreign batch checkable by its lengths alone.</remarks>
public sealed class FlowColumn
{
    /// <summary>Writes the values of at most 64 rows, little endian; bit n of the answer is set where row n has a value, else its bytes become zero.</summary>
    internal delegate ulong Writer(ReadOnlySpan<FlowRow> rows, Span<byte> destination);

    private FlowColumn(string name, IArrowType arrowType, string storeType, int width, bool nullable, string unit, string description, string? ipfix, Writer? write)
    {
        Name = name;
        ArrowType = arrowType;
        StoreType = storeType;
        Width = width;
        Nullable = nullable;
        Unit = unit;
        Description = description;
        Ipfix = ipfix;
        Write = write;
    }

    /// <summary>The public name, as in SQL.</summary>
    public string Name { get; }

    public IArrowType ArrowType { get; }

    /// <summary>The DuckDB type.</summary>
    public string StoreType { get; }

    /// <summary>Bytes of one value.</summary>
    public int Width { get; }

    public bool Nullable { get; }

    /// <summary>Unit of the value, or empty.</summary>
    public string Unit { get; }

    public string Description { get; }

    /// <summary>The IPFIX information element that means the same, where one exists.</summary>
    public string? Ipfix { get; }

    /// <summary>False for a column that the server fills when it seals.</summary>
    public bool OnWire => Write is not null;

    internal Writer? Write { get; }

    internal delegate T? Getter<T>(in FlowRow row) where T : struct;

    internal static FlowColumn Time(string name, string description, string? ipfix, Getter<long> get, bool nullable = false) =>
        Of(name, new TimestampType(TimeUnit.Microsecond, "UTC"), "TIMESTAMP", "µs", description, ipfix, get, nullable);

    internal static FlowColumn U8(string name, string unit, string description, string? ipfix, Getter<byte> get, bool nullable = false) =>
        Of(name, UInt8Type.Default, "UTINYINT", unit, description, ipfix, get, nullable);

    internal static FlowColumn U16(string name, string unit, string description, string? ipfix, Getter<ushort> get, bool nullable = false) =>
        Of(name, UInt16Type.Default, "USMALLINT", unit, description, ipfix, get, nullable);

    internal static FlowColumn U32(string name, string unit, string description, string? ipfix, Getter<uint> get, bool nullable = false) =>
        Of(name, UInt32Type.Default, "UINTEGER", unit, description, ipfix, get, nullable);

    internal static FlowColumn U64(string name, string unit, string description, string? ipfix, Getter<ulong> get, bool nullable = false) =>
        Of(name, UInt64Type.Default, "UBIGINT", unit, description, ipfix, get, nullable);

    internal static FlowColumn Address(string name, string description, string? ipfix, Getter<NetAddress> get, bool nullable = false) =>
        new(name, new FixedSizeBinaryType(NetAddress.Size), "BLOB", NetAddress.Size, nullable, "", description, ipfix, (rows, to) =>
        {
            var valid = 0UL;
            for (var i = 0; i < rows.Length; i++)
            {
                var address = get(in rows[i]);
                address.GetValueOrDefault().Write(to[(i * NetAddress.Size)..]);
                valid |= (address.HasValue ? 1UL : 0) << i;
            }

            return valid;
        });

    /// <summary>A 64-bit column that only the store has.</summary>
    internal static FlowColumn StoreOnlyU64(string name, string description) =>
        new(name, UInt64Type.Default, "UBIGINT", sizeof(ulong), nullable: false, "", description, ipfix: null, write: null);

    private static FlowColumn Of<T>(string name, IArrowType arrow, string store, string unit, string description, string? ipfix, Getter<T> get, bool nullable)
        where T : unmanaged
    {
        return new(name, arrow, store, Unsafe.SizeOf<T>(), nullable, unit, description, ipfix, (rows, to) =>
        {
            var values = MemoryMarshal.Cast<byte, T>(to);
            var valid = 0UL;
            for (var i = 0; i < rows.Length; i++)
            {
                var value = get(in rows[i]);
                values[i] = value.GetValueOrDefault();
                valid |= (value.HasValue ? 1UL : 0) << i;
            }

            return valid;
        });
    }
}
