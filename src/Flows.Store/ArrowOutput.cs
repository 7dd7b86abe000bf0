using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using DuckDB.NET.Data;

namespace Flows.Store;

/// <summary>Prints rows as an Arrow IPC stream: numbers, booleans and times keep their types, everything else is text.</summary>
internal static class ArrowOutput
{
    /// <summary>Rows of one batch: some megabytes at most for the widest view.</summary>
    private const int BatchRowsMax = 8192;

    public static void Write(DuckDBDataReader rows, Stream output)
    {
        var fields = Enumerable.Range(0, rows.FieldCount).Select(i => new Field(rows.GetName(i), TypeOf(Cells.TypeOf(rows, i)), nullable: true));
        var schema = new Schema(fields, metadata: null);
        using var writer = new ArrowStreamWriter(output, schema, leaveOpen: true);
        writer.WriteStart();
        List<object?[]> batch = [];
        while (rows.Read())
        {
            batch.Add([.. Cells.Of(rows)]);
            if (batch.Count == BatchRowsMax)
            {
                writer.WriteRecordBatch(BatchOf(schema, batch));
                batch.Clear();
            }
        }

        if (batch.Count > 0)
        {
            writer.WriteRecordBatch(BatchOf(schema, batch));
        }

        writer.WriteEnd();
    }

    private static IArrowType TypeOf(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => BooleanType.Default,
        TypeCode.Byte or TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.UInt64 => UInt64Type.Default,
        TypeCode.SByte or TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => Int64Type.Default,
        TypeCode.Single or TypeCode.Double => DoubleType.Default,
        TypeCode.DateTime => new TimestampType(TimeUnit.Microsecond, "UTC"),
        _ => StringType.Default,
    };

    private static RecordBatch BatchOf(Schema schema, List<object?[]> rows) =>
        new(schema, schema.FieldsList.Select((field, i) => ArrayOf(field.DataType, [.. rows.Select(row => row[i])])), rows.Count);

    private static IArrowArray ArrayOf(IArrowType type, object?[] cells)
    {
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        switch (type)
        {
            case BooleanType:
                return Fill(new BooleanArray.Builder(), cells, (builder, cell) => builder.Append((bool)cell), builder => builder.AppendNull()).Build();
            case UInt64Type:
                return Fill(new UInt64Array.Builder(), cells, (builder, cell) => builder.Append(Convert.ToUInt64(cell, culture)), builder => builder.AppendNull()).Build();
            case Int64Type:
                return Fill(new Int64Array.Builder(), cells, (builder, cell) => builder.Append(Convert.ToInt64(cell, culture)), builder => builder.AppendNull()).Build();
            case DoubleType:
                return Fill(new DoubleArray.Builder(), cells, (builder, cell) => builder.Append(Convert.ToDouble(cell, culture)), builder => builder.AppendNull()).Build();
            case TimestampType time:
                return Fill(
                    new TimestampArray.Builder(time),
                    cells,
                    (builder, cell) => builder.Append(new DateTimeOffset(DateTime.SpecifyKind((DateTime)cell, DateTimeKind.Utc))),
                    builder => builder.AppendNull()).Build();
            default:
                return Fill(new StringArray.Builder(), cells, (builder, cell) => builder.Append(SqlRunner.Text(cell)), builder => builder.AppendNull()).Build();
        }
    }

    private static T Fill<T>(T builder, object?[] cells, Action<T, object> append, Action<T> appendNull)
    {
        foreach (var cell in cells)
        {
            if (cell is null)
            {
                appendNull(builder);
            }
            else
            {
                append(builder, cell);
            }
        }

        return builder;
    }
}
