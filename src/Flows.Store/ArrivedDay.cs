using Apache.Arrow;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Store;

/// <summary>The rows that arrived for one day, as parts of their batches, and what its file will hold.</summary>
internal sealed class ArrivedDay
{
    private const long Day = 1440 * UnixTime.Minute;

    public List<RecordBatch> Batches { get; } = [];

    public long Rows { get; private set; }

    public long MinUs { get; private set; } = long.MaxValue;

    public long MaxUs { get; private set; } = long.MinValue;

    /// <summary>The days of these records' rows, in order.</summary>
    public static IReadOnlyCollection<ArrivedDay> Of(IEnumerable<IntakeRecord> records)
    {
        SortedDictionary<long, ArrivedDay> days = [];
        foreach (var record in records.Where(record => record.Flows is { Length: > 0 }))
        {
            var batch = WithId(record.Flows!, record.Id.Hash);
            var times = ((TimestampArray)batch.Column("window_start")).Values;
            for (var (from, to) = (0, 1); to <= times.Length; to++)
            {
                if (to < times.Length && times[to] / Day == times[from] / Day)
                {
                    continue;
                }

                // Rows come nearly in order, so runs of one day are long.
                if (!days.TryGetValue(times[from] / Day, out var day))
                {
                    days[times[from] / Day] = day = new ArrivedDay();
                }

                day.Add(batch.Slice(from, to - from), times[from..to]);
                from = to;
            }
        }

        return days.Values;
    }

    private static RecordBatch WithId(RecordBatch batch, ulong id)
    {
        var ids = new UInt64Array.Builder().Reserve(batch.Length).AppendRange(Enumerable.Repeat(id, batch.Length)).Build();
        var fields = batch.Schema.FieldsList.Append(new Field("batch_id", ids.Data.DataType, nullable: false));
        return new RecordBatch(new Schema(fields, metadata: null), [.. batch.Arrays, ids], batch.Length);
    }

    private void Add(RecordBatch rows, ReadOnlySpan<long> times)
    {
        Batches.Add(rows);
        Rows += rows.Length;
        foreach (var time in times)
        {
            MinUs = Math.Min(MinUs, time);
            MaxUs = Math.Max(MaxUs, time);
        }
    }
}
