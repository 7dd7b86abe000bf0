using CsCheck;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

public sealed class RollupOrderTests
{
    private static readonly Gen<FlowRow> Rows = Gen.Select(
        Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[0, 200], Gen.Int[0, 1], Gen.Int[0, 2], Gen.UInt[0, 1], Gen.Int[0, 90],
        (src, dst, halfSeconds, node, port, window, age) => Some.Row(
            $"10.0.0.{src}", $"10.0.0.{dst + 3}", (ushort)(4000 + port), atUs: Some.TimeUs + (halfSeconds * 500_000L) + node, connId: (ulong)((halfSeconds * 10) + port), windowNo: window,
            connStartUs: Some.TimeUs + (halfSeconds * 500_000L) + node - (window * age * UnixTime.Second),
            node: $"node-{node}", natDst: dst == 3 ? "10.0.0.9" : null, natDstPort: dst == 3 ? (ushort)8443 : null));

    private static readonly Gen<IdentityInterval> Statements = Gen.Select(
        Gen.Int[1, 9], Gen.Int[0, 4], Gen.Int[0, 90], Gen.Int[0, 60], Gen.Int[0, 300],
        (host, pod, from, length, learned) => Some.Identity(
            Some.Pod($"pod-{pod}"), $"10.0.0.{host}", Some.TimeUs + (from * UnixTime.Second), length == 0 ? null : Some.TimeUs + ((from + length) * UnixTime.Second), Some.TimeUs + (learned * UnixTime.Second),
            prefix: host == 9 ? (byte)120 : (byte)128));

    /// <summary>Facts and names in any order of arrival give the edges that all facts with the final ledger give.</summary>
    [Fact]
    public void Edges_do_not_depend_on_the_order_of_arrival() =>
        Gen.Select(Rows.Array[1, 20], Statements.Array[1, 6], Gen.Int[0, 1_000_000]).Sample(
            (rows, statements, seed) =>
            {
                var together = EdgesOf(store =>
                {
                    store.AddIdentities(statements);
                    store.Seal([Some.Record(1, "node-0", rows)]);
                });
                var shuffled = EdgesOf(store =>
                {
                    var chunks = rows.Chunk(7).Select(chunk => (object)chunk).Concat(statements.Chunk(2)).ToArray();
                    new Random(seed).Shuffle(chunks);
                    var position = 0UL;
                    foreach (var chunk in chunks)
                    {
                        if (chunk is IdentityInterval[] some)
                        {
                            store.AddIdentities(some);
                        }
                        else
                        {
                            store.Seal([Some.Record(++position, "node-0", (FlowRow[])chunk)]);
                        }
                    }
                });
                Assert.Equal(together, shuffled);
            },
            iter: 6,
            threads: 1);

    private static List<string> EdgesOf(Action<FlowStore> fill)
    {
        var directory = Directory.CreateTempSubdirectory("flows-order-").FullName;
        try
        {
            using (var store = FlowStore.Open(directory, new FakeTimeProvider(UnixTime.FromUs(Some.TimeUs)), new StoreOptions { MemoryMaxMib = 256 }))
            {
                fill(store);
            }

            using var reader = StoreReader.Open(directory);
            return reader.Engine.Read("SELECT * FROM edges_1m ORDER BY ALL", row => string.Join(' ', Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? "-" : SqlRunner.Text(row.GetValue(i)))));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
