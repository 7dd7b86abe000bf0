using Apache.Arrow;
using Apache.Arrow.Arrays;
using Apache.Arrow.Types;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Benchmarks.Identity;

/// <summary>Intervals of addresses that change hands five times, with gaps, and questions sorted by address and time. The same in every run.</summary>
internal sealed record LookupData(IReadOnlyList<NameSpan> Spans, NetAddress[] Addresses, long[] Times)
{
    public const string Scope = "lab";
    private const int HoldersPerAddress = 5;
    private const long EndUs = 1_000_000_000;
    private const int BatchRows = 100_000;

    public static LookupData Of(int intervals, int lookups)
    {
        var random = new Random(7);
        var count = intervals / HoldersPerAddress;
        var spans = new List<NameSpan>(intervals);
        for (var i = 0; i < intervals; i++)
        {
            var from = (i % HoldersPerAddress * (EndUs / HoldersPerAddress)) + random.NextInt64(EndUs / HoldersPerAddress / 2);
            var to = from + random.NextInt64(1, EndUs / HoldersPerAddress / 2);
            var entity = new Entity { Id = (ulong)i + 1, Kind = EntityKind.Pod, Scope = Scope, Name = "" };
            spans.Add(new(Scope, AddressOf(i / HoldersPerAddress), 128, from, to, [entity], from));
        }

        // One address in eleven was never held.
        var keys = new ulong[lookups];
        for (var i = 0; i < lookups; i++)
        {
            keys[i] = ((ulong)random.Next(count + (count / 10)) << 32) | (ulong)random.NextInt64(EndUs);
        }

        System.Array.Sort(keys);
        return new(spans, System.Array.ConvertAll(keys, key => AddressOf((int)(key >> 32))), System.Array.ConvertAll(keys, key => (long)(key & uint.MaxValue)));
    }

    /// <summary>The spans as columns: address as the store has it and as a number, valid_from, valid_to, entity_id.</summary>
    public IEnumerable<RecordBatch> SpanBatches() => Spans.Chunk(BatchRows).Select(some => Batch(
        [.. some.Select(span => span.Address)],
        ("valid_from", [.. some.Select(span => (ulong)span.FromUs)]),
        ("valid_to", [.. some.Select(span => (ulong)span.ToUs)]),
        ("entity_id", [.. some.Select(span => span.Candidates[0].Id)])));

    /// <summary>The questions as columns: address twice, seen_at, and their number.</summary>
    public IEnumerable<RecordBatch> QuestionBatches()
    {
        for (var i = 0; i < Addresses.Length; i += BatchRows)
        {
            var count = Math.Min(BatchRows, Addresses.Length - i);
            yield return Batch(
                Addresses.AsSpan(i, count).ToArray(),
                ("seen_at", System.Array.ConvertAll(Times.AsSpan(i, count).ToArray(), time => (ulong)time)),
                ("number", [.. Enumerable.Range(i, count).Select(number => (ulong)number)]));
        }
    }

    private static NetAddress AddressOf(int number) => NetAddress.FromV4((10u << 24) | (uint)number);

    private static RecordBatch Batch(NetAddress[] addresses, params (string Name, ulong[] Values)[] columns)
    {
        var bytes = new byte[addresses.Length * NetAddress.Size];
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i].Write(bytes.AsSpan(i * NetAddress.Size));
        }

        var blob = new Apache.Arrow.Arrays.FixedSizeBinaryArray(new ArrayData(new FixedSizeBinaryType(NetAddress.Size), addresses.Length, 0, 0, [ArrowBuffer.Empty, new ArrowBuffer(bytes)]));
        List<Field> fields = [new("addr", blob.Data.DataType, nullable: false), new("addr_number", UInt64Type.Default, nullable: false)];
        List<IArrowArray> arrays = [blob, Numbers(System.Array.ConvertAll(addresses, address => address.Low))];
        foreach (var (name, values) in columns)
        {
            fields.Add(new(name, UInt64Type.Default, nullable: false));
            arrays.Add(Numbers(values));
        }

        return new(new Schema(fields, metadata: null), arrays, addresses.Length);
    }

    private static UInt64Array Numbers(ulong[] values) => new UInt64Array.Builder().Append(values.AsSpan()).Build();
}
