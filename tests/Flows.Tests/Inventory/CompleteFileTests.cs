using System.Text;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Inventory;
using Xunit;

namespace Flows.Tests.Inventory;

/// <summary>A file that lists everything also tells by what it no longer lists.</summary>
public sealed class CompleteFileTests
{
    private readonly List<IdentityInterval> ledger = [];

    [Fact]
    public void Absent_line_ends_when_the_file_is_read_again()
    {
        Assert.Equal(0, Read(100, "10.0.0.1 db", "10.0.0.2 web"));
        Assert.Equal(1, Read(200, "10.0.0.2 web"));
        Assert.Equal(("db", "", "web"), (At("10.0.0.1", 199), At("10.0.0.1", 200), At("10.0.0.2", 999)));
        Assert.True(ledger.Last(said => said.Entity.Name == "db").EndUncertain);
    }

    [Fact]
    public void Address_that_changes_hands_is_never_claimed_by_both()
    {
        Read(100, "10.0.0.1 old");
        Read(200, "10.0.0.1 new");
        Assert.Equal(("old", "old", "new"), (At("10.0.0.1", 50), At("10.0.0.1", 199), At("10.0.0.1", 200)));
    }

    [Fact]
    public void Holder_that_comes_back_begins_anew()
    {
        Read(100, "10.0.0.1 db", "10.0.0.2 web");
        Read(200, "10.0.0.2 web");
        Read(300, "10.0.0.1 db", "10.0.0.2 web");
        Assert.Equal(("db", "", "db"), (At("10.0.0.1", 150), At("10.0.0.1", 250), At("10.0.0.1", 300)));
    }

    [Fact]
    public void Same_file_again_is_no_news()
    {
        Read(100, "10.0.0.1 db");
        Read(200, "10.0.0.1 new");
        var before = ledger.Count;
        Read(300, "10.0.0.1 new");
        Assert.Equal(before, ledger.Count);
    }

    [Fact]
    public void Bad_or_empty_file_ends_nothing()
    {
        Read(100, "10.0.0.1 db", "10.0.0.2 web");
        Assert.Equal(0, Read(200, "10.0.0.2 web", "10.0.0.300 typo"));
        Assert.Equal(0, Read(300));
        Assert.Equal("db", At("10.0.0.1", 400));
    }

    [Fact]
    public void Statements_of_others_are_not_touched()
    {
        ledger.AddRange(InventoryFile.Read(new MemoryStream("""{"addr":"10.0.0.9","kind":"vm","name":"mine"}"""u8.ToArray()), "b.jsonl", new("east", 50)).Accepted);
        Read(100, "10.0.0.1 db");
        Assert.Equal("mine", At("10.0.0.9", 500));
    }

    private int Read(long nowUs, params string[] holders)
    {
        var lines = holders.Select(one => one.Split(' ')).Select(one => $"{one[0]},vm,{one[1]}\n");
        var text = $"# flows: complete cmdb\naddr,kind,name\n{string.Concat(lines)}";
        var report = InventoryFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "cmdb.csv", new("east", nowUs));
        var news = CompleteFile.News(report, ledger.Where(said => said.Origin == "cmdb"), nowUs, out var ended);
        ledger.AddRange(LedgerDelta.Of(ledger, news));
        return ended;
    }

    private string At(string address, long timeUs)
    {
        var answer = Ledger.Empty.Add(ledger).At("east", NetAddress.Parse(address), timeUs);
        return answer.ResolvedBy == ResolvedBy.Ambiguous ? "ambiguous" : answer.Candidates.Count == 0 ? "" : answer.Candidates[0].Name;
    }
}
