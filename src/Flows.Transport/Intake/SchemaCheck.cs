using System.Text;
using Apache.Arrow.Types;
using Flows.Core.Facts;

namespace Flows.Transport.Intake;

/// <summary>Compares a foreign schema message with <see cref="FlowColumns.Wire"/>: same names, types and nullability, in the same order.</summary>
internal static class SchemaCheck
{
    // Fields of the FlatBuffer tables Schema, Field and the types (Schema.fbs).
    private const int SchemaEndianness = 0;
    private const int SchemaFields = 1;
    private const int FieldName = 0;
    private const int FieldNullable = 1;
    private const int FieldTypeType = 2;
    private const int FieldType = 3;
    private const int FieldDictionary = 4;
    private const int FieldChildren = 5;
    private const byte IntType = 2;
    private const byte TimestampTypeCode = 10;
    private const byte FixedSizeBinary = 15;
    private const short Microsecond = 2;

    /// <summary>What is wrong with the schema; null when it is ours.</summary>
    public static string? Problem(FlatTable schema)
    {
        if (schema.Short(SchemaEndianness) != 0)
        {
            return "the stream is big endian";
        }

        if (!schema.TryVector(SchemaFields, 4, out _, out var count) || count != FlowColumns.Wire.Count)
        {
            return $"the schema does not have the {FlowColumns.Wire.Count} columns of a flow batch";
        }

        for (var i = 0; i < count; i++)
        {
            if (!schema.TryTableAt(SchemaFields, i, out var field) || !IsColumn(field, FlowColumns.Wire[i]))
            {
                return $"column {i} of the schema is not {FlowColumns.Wire[i].Name} as this server knows it";
            }
        }

        return null;
    }

    private static bool IsColumn(FlatTable field, FlowColumn column) =>
        field.TryVector(FieldName, 1, out var name, out _) && name.SequenceEqual(Encoding.UTF8.GetBytes(column.Name))
        && field.Byte(FieldNullable) == (column.Nullable ? 1 : 0)
        && !field.Has(FieldDictionary)
        && (!field.TryVector(FieldChildren, 4, out _, out var children) || children == 0)
        && field.TryTable(FieldType, out var type)
        && IsType(field.Byte(FieldTypeType), type, column);

    private static bool IsType(byte code, FlatTable type, FlowColumn column) => column.ArrowType switch
    {
        TimestampType => code == TimestampTypeCode && type.Short(0) == Microsecond && type.TryVector(1, 1, out var zone, out _) && zone.SequenceEqual("UTC"u8),
        FixedSizeBinaryType => code == FixedSizeBinary && type.Int(0) == column.Width,
        _ => code == IntType && type.Int(0) == column.Width * 8 && type.Byte(1) == 0,
    };
}
