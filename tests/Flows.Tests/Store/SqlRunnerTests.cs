using System.Text;
using Apache.Arrow.Ipc;
using Flows.Core;
using Flows.Store;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Store;

public sealed class SqlRunnerTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flows-sql-").FullName;
    private readonly StoreReader reader;

    public SqlRunnerTests()
    {
        using (var store = FlowStore.Open(directory, TimeProvider.System, new StoreOptions { MemoryMaxMib = 256 }))
        {
            store.Seal([Some.Record(1, "node-a", Some.Row())]);
        }

        reader = StoreReader.Open(directory);
    }

    [Fact]
    public void Rows_are_printed_in_every_format()
    {
        const string Sql = "SELECT src_addr, dst_port, window_start, svc_name FROM flow_log;";
        Assert.Equal("src_addr,dst_port,window_start,svc_name\r\n10.0.0.1,443,2026-01-31T10:00:00.000000Z,\r\n", Run(Sql, "csv"));
        Assert.Equal("""[{"src_addr":"10.0.0.1","dst_port":443,"window_start":"2026-01-31T10:00:00.000000Z","svc_name":null}]""" + "\n", Run(Sql, "json"));
        Assert.StartsWith("src_addr  dst_port  window_start", Run(Sql, "table"), StringComparison.Ordinal);
        Assert.Equal("[{\"nodes\":[\"node-a\"]}]\n", Run("SELECT nodes FROM edges", "json"));
    }

    [Fact]
    public void Arrow_stream_can_be_read_again()
    {
        using var output = new MemoryStream();
        new SqlRunner(reader).Run("SELECT range AS n, 'x' || range AS t FROM range(10000)", "arrow", output);
        output.Position = 0;
        using var stream = new ArrowStreamReader(output);
        var rows = 0;
        while (stream.ReadNextRecordBatch() is { } batch)
        {
            rows += batch.Length;
        }

        Assert.Equal(10_000, rows);
    }

    [Theory]
    [InlineData("SELEC 1")]
    [InlineData("SELECT nothing FROM flows")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT ip('10.0.0')")]
    [InlineData("-- nothing")]
    public void Wrong_sql_is_the_asker_s_fault_in_one_line(string sql)
    {
        var fault = Assert.Throws<FlowsException>(() => Run(sql, "csv"));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public void Nulls_in_lists_are_shown_as_such() =>
        Assert.Equal("""[{"a":[1,null],"b":["x",null],"c":[true,null],"d":[]}]""" + "\n", Run("SELECT [1, NULL] AS a, ['x', NULL] AS b, [true, NULL] AS c, []::BIGINT[] AS d", "json"));

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("table")]
    [InlineData("arrow")]
    public void Value_that_cannot_be_shown_is_named_with_the_way_around(string format)
    {
        var fault = Assert.Throws<FlowsException>(() => Run("SELECT union_value(n := 1) AS odd", format));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.Contains("\"odd\"::VARCHAR", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Second_statement_is_refused_before_anything_runs()
    {
        var file = Path.Combine(directory, "written.csv");
        Assert.Throws<FlowsException>(() => Run($"SELECT 1; COPY (SELECT 1) TO '{file}'", "csv"));
        Assert.False(File.Exists(file));
    }

    public void Dispose()
    {
        reader.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private string Run(string sql, string format)
    {
        using var output = new MemoryStream();
        new SqlRunner(reader).Run(sql, format, output);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
