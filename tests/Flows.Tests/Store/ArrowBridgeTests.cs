using Flows.Store;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Store;

public sealed class ArrowBridgeTests
{
    [Fact]
    public void Batches_are_read_whole_and_in_parts()
    {
        using var engine = Engine.Start(256, 2, null);
        var rows = Enumerable.Range(0, 5000).Select(i => Some.Row(connId: (ulong)i, natDst: i % 2 == 0 ? "10.9.9.9" : null, atUs: Some.TimeUs + i)).ToArray();

        ArrowBridge.Show(engine.Connection, "shown", [Some.Batch([.. rows.Take(4097)]), Some.Batch(rows).Slice(4097, 903)],
            () => engine.Execute("CREATE TEMP TABLE kept AS SELECT * FROM shown ORDER BY conn_id DESC"));

        var found = engine.Read("SELECT count(*), sum(conn_id)::BIGINT, count(nat_dst_addr), max(window_start), any_value(addr(src_addr)), max(addr(nat_dst_addr)) FROM kept",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetDateTime(3), row.GetString(4), row.GetString(5))).Single();
        Assert.Equal((5000, 5000L * 4999 / 2, 2500, DateTime.SpecifyKind(Core.UnixTime.FromUs(Some.TimeUs + 4999).UtcDateTime, DateTimeKind.Unspecified), "10.0.0.1", "10.9.9.9"), found);
    }
}
