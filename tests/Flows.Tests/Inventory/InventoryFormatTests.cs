using System.Text;
using CsCheck;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Inventory;
using Xunit;

namespace Flows.Tests.Inventory;

/// <summary>CSV and YAML say what JSON Lines say, and fail line by line as they do.</summary>
public sealed class InventoryFormatTests
{
    private static readonly long Now = UnixTime.Parse("2026-01-31T10:00:00Z", 0);

    private static InventoryReport Read(string name, string text) => InventoryFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), name, new("east", Now));

    [Fact]
    public void The_three_formats_say_the_same()
    {
        var json = Read("a.jsonl", """
            {"addr":"10.0.0.1","kind":"vm","name":"db","namespace":"shop","host_network":true,"labels":{"app":"db","note":"a, \"b\""},"selector":{"app":"db"},"ports":{"sql/tcp":"5432"},"valid_from":"2026-01-01T00:00:00Z"}
            {"addr":"10.1.0.0/16","kind":"cidr","name":"office"}
            """).Accepted;
        var csv = Read("a.csv", "addr,kind,name,namespace,host_network,labels,label:note,selector,ports,valid_from\r\n"
            + "10.0.0.1,vm,db,shop,true,app=db,\"a, \"\"b\"\"\",app=db,sql/tcp=5432,2026-01-01T00:00:00Z\r\n10.1.0.0/16,cidr,office,,,,,,,\r\n").Accepted;
        var yaml = Read("a.yaml", """
            - addr: 10.0.0.1
              kind: vm
              name: db
              namespace: shop
              host_network: true
              labels: {app: db, note: 'a, "b"'}
              selector:
                app: db
              ports: {sql/tcp: 5432}
              valid_from: 2026-01-01T00:00:00Z
            - {addr: 10.1.0.0/16, kind: cidr, name: office, node: ~}
            """).Accepted;

        Assert.Equal((2, "file", "cidr"), (json.Count, json[0].Origin, json[1].Origin));
        Assert.All((IReadOnlyList<IdentityInterval>[])[csv, yaml], other =>
        {
            Assert.Equal(2, other.Count);
            Assert.Empty(LedgerDelta.Of(json, other));
        });
    }

    [Theory]
    [InlineData("10.0.0.2,vm", "the line has 2 cells, the header 3")]
    [InlineData("10.0.0.2,vm,a,b", "the line has 4 cells")]
    [InlineData("10.0.0.2,vm,5\" disk", "a quote is not closed")]
    [InlineData("10.0.0.2,vm,5\" \"disk", "a quote stands in a cell")]
    [InlineData("10.0.0.2,vm,\"a\"b", "a cell goes on after its closing quote")]
    [InlineData("10.0.0.2,vm,", "name is missing")]
    [InlineData("10.0.0.2,plane,x", "'plane' is not a kind")]
    public void Bad_CSV_line_costs_only_itself(string line, string reason)
    {
        var report = Read("fleet.csv", $"addr,kind,name\n10.0.0.1,vm,before\n{line}\n10.0.0.3,vm,\"after \"\"it\"\"\"\n\n10.0.0.4,vm,last\n");

        Assert.Equal(["before", "after \"it\"", "last"], report.Accepted.Select(said => said.Entity.Name));
        var bad = Assert.Single(report.Rejected);
        Assert.Equal("fleet.csv:3", bad.Where);
        Assert.Contains(reason, bad.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(bad.Remedy);
    }

    [Fact]
    public void CSV_cell_may_hold_line_ends() =>
        Assert.Equal("a\r\nb", Assert.Single(Read("a.csv", "addr,kind,name\r\n10.0.0.1,vm,\"a\r\nb\"\r\n").Accepted).Entity.Name);

    [Theory]
    [InlineData("addr;kind;name", "the column 'addr;kind;name' is not known")]
    [InlineData("addr,kind,name,kind", "the column 'kind' stands twice")]
    [InlineData("addr,kind,label:,name", "the column 'label:' is not known")]
    public void CSV_without_good_names_of_columns_is_not_read(string header, string reason)
    {
        var report = Read("a.csv", $"{header}\n10.0.0.1,vm,db\n");
        Assert.Empty(report.Accepted);
        Assert.Contains(reason, Assert.Single(report.Rejected).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("addr: 10.0.0.2", "kind: vm", "labels: [a]", "a value is a list")]
    [InlineData("addr: 10.0.0.2", "kind: vm", "name: {x: y}", "name is not a text")]
    [InlineData("addr: 10.0.0.2", "kind: vm", "labels: {a: {b: c}}", "a value is a list or a mapping")]
    [InlineData("addr: 10.0.0.2", "kind: &k vm", "name: *k", "the alias *k is not read")]
    [InlineData("addr: 10.0.0.2", "addr: 10.0.0.2", "name: x", "the key 'addr' stands twice")]
    [InlineData("addr: 10.0.0.2", "? [a]\n  : b", "name: x", "a key is no text")]
    [InlineData("addr: 10.0.0.2", "kind: vm", "name: \"\\ud800\"", "")]
    [InlineData("<<: {kind: vm}", "addr: 10.0.0.2", "name: x", "not known")]
    [InlineData("addr: 10.0.0.2", "kind: vm", "name: ~", "name is missing")]
    public void Bad_YAML_item_costs_only_itself(string one, string two, string three, string reason)
    {
        var report = Read("fleet.yaml", $"- {{addr: 10.0.0.1, kind: vm, name: before}}\n- {one}\n  {two}\n  {three}\n- {{addr: 10.0.0.3, kind: vm, name: after}}\n");

        Assert.Contains("before", report.Accepted.Select(said => said.Entity.Name));
        var bad = Assert.Single(report.Rejected);
        Assert.Contains(reason, bad.Reason, StringComparison.Ordinal);
        if (reason.Length > 0)
        {
            Assert.Equal("fleet.yaml:2", bad.Where);
            Assert.Equal(["before", "after"], report.Accepted.Select(said => said.Entity.Name));
        }
    }

    [Theory]
    [InlineData("- {addr: 10.0.0.1, kind: vm, name: db}\n- {addr: 'x", 1, "nothing after this was read")]
    [InlineData("addr: 10.0.0.1\nkind: vm\n", 0, "not a list of mappings")]
    [InlineData("- just text\n- {addr: 10.0.0.1, kind: vm, name: db}\n", 1, "not a list of mappings")]
    [InlineData("- a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n", 0, "nested more than")]
    public void YAML_that_is_none_says_so(string text, int accepted, string reason)
    {
        var report = Read("a.yml", text);
        Assert.Equal(accepted, report.Accepted.Count);
        Assert.Contains(reason, Assert.Single(report.Rejected).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no")]
    [InlineData("1e3")]
    [InlineData("0x1F")]
    [InlineData("2026-01-01")]
    [InlineData("1:2:3")]
    [InlineData("007")]
    public void YAML_text_that_looks_like_something_else_is_the_text_that_stands_there(string name)
    {
        Assert.Equal(name, Assert.Single(Read("a.yaml", $"- {{addr: 10.0.0.1, kind: vm, name: {name}}}\n").Accepted).Entity.Name);
        Assert.Equal("~", Assert.Single(Read("a.yaml", "- {addr: 10.0.0.1, kind: vm, name: \"~\"}\n").Accepted).Entity.Name);
    }

    [Fact]
    public void Line_for_every_scope_is_for_ranges_and_names_only_and_expands()
    {
        var report = Read("a.jsonl", """
            {"scope":"*","addr":"8.8.8.0/24","kind":"cidr","name":"resolver"}
            {"scope":"*","addr":"10.0.0.1","kind":"host","name":"me"}
            """);
        Assert.Contains("cannot be in every scope", Assert.Single(report.Rejected).Reason, StringComparison.Ordinal);

        var expanded = EveryScope.Expand(report.Accepted, ["east", "west"]);
        var asWritten = Read("b.jsonl", """
            {"scope":"east","addr":"8.8.8.0/24","kind":"cidr","name":"resolver"}
            {"scope":"west","addr":"8.8.8.0/24","kind":"cidr","name":"resolver"}
            """).Accepted;
        Assert.Equal(2, expanded.Count);
        Assert.Empty(LedgerDelta.Of(asWritten, expanded));
    }

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.csv")]
    [InlineData("a.yaml")]
    public void First_line_may_say_that_the_file_is_complete(string name)
    {
        var rest = name switch
        {
            "a.csv" => "addr,kind,name\n10.0.0.1,vm,db\n",
            "a.yaml" => "- {addr: 10.0.0.1, kind: vm, name: db}\n",
            _ => """{"addr":"10.0.0.1","kind":"vm","name":"db"}""",
        };
        var report = Read(name, $"# flows: complete cmdb-east\n{rest}");
        Assert.Equal(("cmdb-east", "cmdb-east", 0L), (report.CompleteFor, Assert.Single(report.Accepted).Origin, report.RejectedCount));
        Assert.Equal($"{name}:1", Assert.Single(Read(name, $"# flows: complete kubernetes\n{rest}").Rejected).Where);
        Assert.Single(Read(name, $"# flows: complte\n{rest}").Rejected);
        Assert.Equal((1, 0, null), (Read(name, $"# my fleet\n{rest}").Accepted.Count, Read(name, $"# my fleet\n{rest}").Rejected.Count, Read(name, $"# my fleet\n{rest}").CompleteFor));
    }

    [Fact]
    public void Readers_never_throw_on_arbitrary_text() => Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 60]).Sample((noise, at) =>
    {
        foreach (var name in (string[])["a.csv", "a.yaml"])
        {
            var good = Encoding.UTF8.GetBytes(name == "a.csv" ? "addr,kind,name,label:a\n10.0.0.1,vm,\"d\nb\",x\n" : "- addr: 10.0.0.1\n  kind: vm\n  labels: {a: b}\n  name: \"db\"\n");
            Array.Copy(noise, 0, good, at % good.Length, Math.Min(Math.Min(noise.Length, 3), good.Length - (at % good.Length)));
            _ = InventoryFile.Read(new MemoryStream(noise), name, new("east", Now));
            _ = InventoryFile.Read(new MemoryStream(good), name, new("east", Now));
        }
    }, iter: 3000);
}
