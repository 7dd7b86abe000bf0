using Flows.Store;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Store;

public sealed class ArrowBridgeTests
{
    [Fact]
    public void Batch_of_several_chunks_arrives_whole()
    {
        using var engine = Engine.Start(256, 1, null);
        engine.Execute(new TableColumns([.. TableColumns.Flows.All.SkipLast(1)]).Create("staging"));
        var rows = Enumerable.Range(0, 5000).Select(i => Some.Row(connId: (ulong)i, natDst: i % 2 == 0 ? "10.9.9.9" : null, atUs: Some.TimeUs + i)).ToArray();

        ArrowBridge.Append(engine.Connection, "staging", Some.Batch(rows));

        var found = engine.Read("SELECT count(*), sum(conn_id)::BIGINT, count(nat_dst_addr), max(window_start), any_value(addr(src_addr)), max(addr(nat_dst_addr)) FROM staging",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetDateTime(3), row.GetString(4), row.GetString(5))).Single();
        Assert.Equal((5000, 5000L * 4999 / 2, 2500, DateTime.SpecifyKind(Core.UnixTime.FromUs(Some.TimeUs + 4999).UtcDateTime, DateTimeKind.Unspecified), "10.0.0.1", "10.9.9.9"), found);
    }
}
