using System.Text;
using CsCheck;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Inventory;
using Xunit;

namespace Flows.Tests.Inventory;

public sealed class InventoryFileTests
{
    private static readonly long Now = UnixTime.Parse("2026-01-31T10:00:00Z", 0);

    private static InventoryReport Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    private static InventoryReport Read(byte[] bytes) => InventoryFile.Read(new MemoryStream(bytes), "fleet.jsonl", new("east", Now));

    [Fact]
    public void Three_keys_are_enough()
    {
        var said = Assert.Single(Read("""{"addr":"10.0.0.1","kind":"vm","name":"db"}""").Accepted);

        Assert.Equal(("10.0.0.1", (byte)128, 0L, null, Now), (said.Address.ToString(), said.PrefixLength, said.ValidFromUs, said.ValidToUs, said.LearnedAtUs));
        Assert.Equal((EntityKind.Vm, "db", "east", "east//db", "file"), (said.Entity.Kind, said.Entity.Name, said.Entity.Scope, said.Entity.Uid, said.Origin));
    }

    [Fact]
    public void Every_column_is_read()
    {
        var report = Read("""
            {"scope":"west","addr":"10.0.0.0/24","kind":"pod","uid":"u1","cluster":"c1","namespace":"shop","name":"web-1","workload_kind":"Deployment","workload":"web","node":"n1","host_network":true,"labels":{"b":"2","a":"1"},"selector":{"a":"1"},"ports":{"http/tcp":"8080"},"valid_from":"2026-01-01T00:00:00Z","valid_to":"2026-01-02T00:00:00Z","learned_at":"2026-01-01T00:00:05Z","origin":"cmdb"}
            """);
        var said = Assert.Single(report.Accepted);

        Assert.Equal(Entity.IdOf("c1", EntityKind.Pod, "u1"), said.Entity.Id);
        Assert.Equal(120, said.PrefixLength);
        Assert.Equal(["a", "b"], said.Entity.Labels.Keys);
        Assert.Equal("1", said.Entity.Selector["a"]);
        Assert.Equal("8080", said.Entity.Ports["http/tcp"]);
        Assert.True(said.Entity.HostNetwork);
        Assert.Equal(("cmdb", "Deployment", "web", "n1", "shop", "west"), (said.Origin, said.Entity.WorkloadKind, said.Entity.Workload, said.Entity.Node, said.Entity.Namespace, said.Entity.Scope));
        Assert.Equal(24 * 3600 * UnixTime.Second, said.ValidToUs - said.ValidFromUs);
        Assert.Equal(UnixTime.Parse("2026-01-01T00:00:05Z", 0), said.LearnedAtUs);
    }

    [Theory]
    [InlineData("""{"kind":"vm","name":"db"}""", "addr is missing or empty")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":""}""", "name is missing or empty")]
    [InlineData("""{"addr":"10.0.0.1/8","kind":"vm","name":"db"}""", "neither an address nor a range")]
    [InlineData("""{"addr":"010.0.0.1","kind":"vm","name":"db"}""", "neither an address nor a range")]
    [InlineData("""{"addr":"10.0.0.1","kind":"ambiguous","name":"db"}""", "'ambiguous' is not a kind")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","adress":"x"}""", "the key 'adress' is not known")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","name":"web"}""", "not JSON with each key once")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":7}""", "name is not a text")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"d\u0000b"}""", "U+0000 or U+001F")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","uid":"a\u001fb"}""", "U+0000 or U+001F")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"\ud800"}""", "half of a surrogate pair")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","labels":{"a":1}}""", "the value of 'a' is not a text")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","labels":[]}""", "labels is not an object")]
    [InlineData("""{"addr":"10.0.0.1","kind":"pod","name":"db","ports":{"http":"80"}}""", "ports: 'http' with '80' is not a named port")]
    [InlineData("""{"addr":"10.0.0.1","kind":"pod","name":"db","ports":{"http/icmp":"80"}}""", "is not a named port")]
    [InlineData("""{"addr":"10.0.0.1","kind":"pod","name":"db","ports":{"http/tcp":"0"}}""", "is not a named port")]
    [InlineData("""{"addr":"10.0.0.1","kind":"pod","name":"db","ports":{"http/tcp":"65536"}}""", "is not a named port")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","host_network":"yes"}""", "neither true nor false")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","valid_from":"2h"}""", "is not a time")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","valid_from":"2026-01-02","valid_to":"2026-01-02"}""", "valid_to is not after valid_from")]
    [InlineData("""{"addr":"10.0.0.1","kind":"vm","name":"db","learned_at":"2999-01-01"}""", "learned_at is in the future")]
    [InlineData("""["10.0.0.1"]""", "not a JSON object")]
    [InlineData("""{"addr":"10.0.0.1",""", "not JSON")]
    [InlineData("addr,kind,name", "not JSON")]
    public void Bad_line_is_named_and_the_good_ones_are_kept(string line, string reason)
    {
        var report = Read($$"""
            {"addr":"10.0.0.8","kind":"vm","name":"before"}

            {{line}}
            {"addr":"10.0.0.9","kind":"vm","name":"after"}
            """);

        Assert.Equal(["before", "after"], report.Accepted.Select(said => said.Entity.Name));
        var bad = Assert.Single(report.Rejected);
        Assert.Equal("fleet.jsonl:3", bad.Where);
        Assert.Contains(reason, bad.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(bad.Remedy);
        Assert.Equal(1, report.RejectedCount);
    }

    [Fact]
    public void Hostile_text_is_kept_as_data()
    {
        var said = Assert.Single(Read("""{"addr":"10.0.0.1","kind":"vm","name":"\u202egpj.exe\u0007<script>","labels":{"=cmd|":"'; DROP TABLE"}}""").Accepted);

        Assert.Equal("\u202egpj.exe\u0007<script>", said.Entity.Name);
        Assert.Equal("\\u202egpj.exe\\u0007<script>", VisibleText.Of(said.Entity.Name));
    }

    [Fact]
    public void Names_and_labels_have_limits()
    {
        Assert.Single(Read($$"""{"addr":"10.0.0.1","kind":"vm","name":"{{new string('a', 253)}}"}""").Accepted);
        Assert.Empty(Read($$"""{"addr":"10.0.0.1","kind":"vm","name":"{{new string('a', 254)}}"}""").Accepted);
        var labels = string.Join(',', Enumerable.Range(0, 65).Select(i => $"\"l{i}\":\"\""));
        Assert.Contains("at most 64", Assert.Single(Read($$$"""{"addr":"10.0.0.1","kind":"vm","name":"db","labels":{{{{labels}}}}}""").Rejected).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(InventoryFile.LineBytesMax, true)]
    [InlineData(InventoryFile.LineBytesMax + 1, false)]
    [InlineData((3 * InventoryFile.LineBytesMax) + 17, false)]
    public void Line_that_is_too_long_costs_only_itself(int bytes, bool taken)
    {
        const string good = """{"addr":"10.0.0.8","kind":"vm","name":"good"}""";
        var report = Read($"{good}\n{good.Replace("good", "long", StringComparison.Ordinal).PadRight(bytes)}\n{good}\n{good.Replace("good", "last", StringComparison.Ordinal).PadRight(bytes)}");

        Assert.Equal(taken ? ["good", "long", "last"] : ["good"], report.Accepted.Select(said => said.Entity.Name));
        Assert.Equal(taken ? [] : ["fleet.jsonl:2", "fleet.jsonl:4"], report.Rejected.Select(line => line.Where));
    }

    [Fact]
    public void Byte_order_mark_and_CRLF_are_fine_and_other_encodings_are_not()
    {
        Assert.Single(Read([0xEF, 0xBB, 0xBF, .. "{\"addr\":\"10.0.0.1\",\"kind\":\"vm\",\"name\":\"db\"}\r\n\r\n"u8]).Accepted);
        Assert.Contains("UTF-8", Assert.Single(Read([.. "{\"addr\":\"10.0.0.1\",\"kind\":\"vm\",\"name\":\""u8, 0xE4, .. "\"}"u8]).Rejected).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Repeated_line_counts_once_and_a_contradiction_is_reported()
    {
        var report = Read("""
            {"addr":"10.0.0.1","kind":"vm","name":"db"}
            {"addr":"10.0.0.1","kind":"vm","name":"db"}
            {"addr":"10.0.0.1","kind":"vm","name":"db","node":"n2"}
            """);

        Assert.Single(report.Accepted);
        Assert.StartsWith("fleet.jsonl:3: line 1 says something else", Assert.Single(report.Rejected).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Second_import_of_a_file_is_no_news()
    {
        const string text = """{"addr":"10.0.0.1","kind":"pod","name":"db","labels":{"a":"1"}}""";
        var later = InventoryFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "again", new("east", Now + UnixTime.Minute));

        Assert.Empty(LedgerDelta.Of(Read(text).Accepted, later.Accepted));
    }

    [Fact]
    public void Names_that_join_to_the_same_text_are_different_holders()
    {
        var report = Read("""
            {"addr":"10.0.0.1","kind":"vm","namespace":"a/b","name":"c"}
            {"addr":"10.0.0.1","kind":"vm","namespace":"a","name":"b/c"}
            """);

        Assert.Equal(2, report.Accepted.Select(said => said.Entity.Id).Distinct().Count());
    }

    [Fact]
    public void Reader_never_throws_on_arbitrary_lines() => Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 60]).Sample((noise, at) =>
    {
        var line = Encoding.UTF8.GetBytes("{\"addr\":\"10.0.0.1\",\"kind\":\"vm\",\"name\":\"db\",\"labels\":{\"\\ud83d\\ude00\":\"\"}}");
        Array.Copy(noise, 0, line, at, Math.Min(Math.Min(noise.Length, 3), line.Length - at));
        _ = Read(noise);
        _ = Read(line);
    }, iter: 3000);

    [Fact]
    public void Missing_file_is_a_usage_fault() =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => InventoryFile.Read("/nowhere/fleet.jsonl", new("east", Now))).ExitCode);
}
