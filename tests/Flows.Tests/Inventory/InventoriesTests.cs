using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Store;
using Flows.Tests.Transport;
using Flows.Verbs;
using Xunit;

namespace Flows.Tests.Inventory;

/// <summary>A server's inventory files: read again when they change, never half.</summary>
public sealed class InventoriesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly FlowStore store;
    private readonly Keeper keeper;

    public InventoriesTests()
    {
        store = FlowStore.Open(Path.Combine(directory.Path, "store"), TimeProvider.System, new StoreOptions());
        keeper = Keeper.Open(Path.Combine(directory.Path, "store"), store, TimeProvider.System);
    }

    private string File => Path.Combine(directory.Path, "fleet.csv");

    public void Dispose()
    {
        keeper.Dispose();
        store.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Changed_file_is_read_once_it_rests_and_a_bad_line_costs_only_itself()
    {
        System.IO.File.WriteAllText(File, "addr,kind,name\n10.0.0.1,vm,db\n");
        var inventories = Open();
        inventories.Look();
        Assert.Equal("db", NameOf("10.0.0.1"));

        // Written by rename, as an export should be; then in place, with a bad line.
        System.IO.File.WriteAllText(File + ".new", "addr,kind,name\n10.0.0.1,vm,db\n10.0.0.2,vm,web\n");
        System.IO.File.Move(File + ".new", File, overwrite: true);
        inventories.Look();
        Assert.Equal("", NameOf("10.0.0.2"));
        inventories.Look();
        Assert.Equal("web", NameOf("10.0.0.2"));

        System.IO.File.WriteAllText(File, "addr,kind,name\n10.0.0.300,vm,web\n10.0.0.3,vm,cache\n");
        inventories.Look();
        inventories.Look();
        Assert.Equal(("db", "web", "cache"), (NameOf("10.0.0.1"), NameOf("10.0.0.2"), NameOf("10.0.0.3")));
        Assert.True(inventories.Account.Report() is { Holds: true, Forwarded: 4 } books && books.Dropped["bad_line"] == 1);

        System.IO.File.Delete(File);
        inventories.Look();
        Assert.Equal("cache", NameOf("10.0.0.3"));
    }

    [Fact]
    public void Complete_file_ends_what_it_no_longer_lists_also_over_a_restart()
    {
        System.IO.File.WriteAllText(File, "# flows: complete cmdb\naddr,kind,name\n10.0.0.1,vm,db\n10.0.0.2,vm,web\n");
        Open();
        System.IO.File.WriteAllText(File, "# flows: complete cmdb\naddr,kind,name\n10.0.0.2,vm,web\n");
        Open();
        Assert.Equal(("", "web"), (NameOf("10.0.0.1"), NameOf("10.0.0.2")));
    }

    [Fact]
    public void Line_for_every_scope_holds_in_scopes_that_turn_up_later()
    {
        System.IO.File.WriteAllText(File, "scope,addr,kind,name\n*,8.8.8.0/24,cidr,resolver\neast,10.0.0.1,vm,db\n");
        var inventories = Open();
        Assert.Equal("resolver", NameOf("8.8.8.8", "east"));
        Assert.Equal("", NameOf("8.8.8.8", "west"));

        System.IO.File.WriteAllText(File + "2", "scope,addr,kind,name\nwest,10.0.0.1,vm,db\n");
        System.IO.File.Move(File + "2", Path.Combine(directory.Path, "west.csv"));
        new Inventories([Path.Combine(directory.Path, "west.csv")], "default", keeper, TimeProvider.System).ReadAll();
        inventories.Look();
        Assert.Equal("resolver", NameOf("8.8.8.8", "west"));
    }

    [Fact]
    public void Two_files_cannot_be_complete_for_one_origin()
    {
        System.IO.File.WriteAllText(File, "# flows: complete cmdb\naddr,kind,name\n10.0.0.1,vm,db\n");
        System.IO.File.Copy(File, Path.Combine(directory.Path, "b.csv"));
        var both = new Inventories([File, Path.Combine(directory.Path, "b.csv")], "default", keeper, TimeProvider.System);
        Assert.Contains("complete for cmdb", Assert.Throws<FlowsException>(both.ReadAll).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_prints_bad_lines_and_ends_with_no()
    {
        System.IO.File.WriteAllText(File, "addr,kind,name\n10.0.0.300,vm,\"we\u202eb\u0007\"\n");
        using var to = new StringWriter();
        Assert.Equal(ExitCode.No, InventoryVerb.Check([File], "csv", to, TimeProvider.System));
        Assert.StartsWith("place,reason,remedy\nfleet.csv:2,", to.ToString(), StringComparison.Ordinal);
        System.IO.File.WriteAllText(File, "addr,kind,name\n10.0.0.30,vm,web\n");
        Assert.Equal(ExitCode.Ok, InventoryVerb.Check([File], "table", TextWriter.Null, TimeProvider.System));
    }

    private Inventories Open()
    {
        var inventories = new Inventories([File], "default", keeper, TimeProvider.System);
        inventories.ReadAll();
        return inventories;
    }

    private string NameOf(string address, string scope = "default")
    {
        var answer = Ledger.Empty.Add(store.Identities()).At(scope, NetAddress.Parse(address), TimeProvider.System.NowUs());
        return string.Join('|', answer.Candidates.Select(one => one.Name));
    }
}
