using System.Text;
using Flows.Capture;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Transport;
using Flows.Transport.Intake;
using Xunit;

namespace Flows.Tests.Transport;

/// <summary>What a collector says beside its books: coverage, owners, names.</summary>
public sealed class FactsCheckTests
{
    private const string Node = "node-1";

    private static readonly CoverageFact Coverage = new("conntrack", "accounting", CoverageLevel.Partial, "Bytes are not counted; run sysctl -w net.netfilter.nf_conntrack_acct=1.", 1_000_000);
    private static readonly OwnerFact Owner = new(42, "unit", "nginx.service", 33, "/system.slice/nginx.service", "nginx.service", "", "", "/usr/sbin/nginx", 812, 2_000_000);
    private static readonly NameFact Name = new("10.0.0.1", "db.example", "2001:db8::1", 30, 3_000_000);

    [Fact]
    public void Report_looks_as_it_always_did_and_facts_have_this_form()
    {
        var report = new AccountReport(Node, Guid.Empty, 1, 2, [new HopReport("spool", "rows", 3, 2, new SortedDictionary<string, long> { ["spool_full"] = 1 }, 0)]);
        const string Books = """
            {"node":"node-1","process":"00000000-0000-0000-0000-000000000000","since_us":1,"at_us":2,"hops":[{"hop":"spool","unit":"rows","seen":3,"forwarded":2,"dropped":{"spool_full":1},"in_flight":0}],"facts":
            """;
        Assert.Equal(Books + "null}", Encoding.UTF8.GetString(TransportJson.Write(report)));
        Assert.Equal(
            Books + """
            {"coverage":[{"source":"conntrack","aspect":"accounting","level":1,"detail":"Bytes are not counted; run sysctl -w net.netfilter.nf_conntrack_acct=1.","at_us":1000000}],
            """ + """
            "owners":[{"owner_id":42,"kind":"unit","name":"nginx.service","uid":33,"cgroup":"/system.slice/nginx.service","unit":"nginx.service","container_id":"","pod_uid":"","executable":"/usr/sbin/nginx","pid":812,"seen_at_us":2000000}],
            """ + """
            "names":[{"client":"10.0.0.1","name":"db.example","address":"2001:db8::1","ttl_seconds":30,"seen_at_us":3000000}]}}
            """,
            Encoding.UTF8.GetString(TransportJson.Write(report with { Facts = new NodeFacts([Coverage], [Owner], [Name]) })));
    }

    [Fact]
    public void Report_of_a_collector_that_knows_no_facts_is_read()
    {
        const string Old = """{"node":"node-1","process":"00000000-0000-0000-0000-000000000000","since_us":1,"at_us":2,"hops":[]}""";
        Assert.Null(AccountCheck.Read(Encoding.UTF8.GetBytes(Old), Node, out var problem)!.Facts);
        Assert.Empty(problem);
    }

    [Fact]
    public void Facts_arrive_as_they_were_told_whatever_their_text_holds()
    {
        var odd = Coverage with { Detail = "line\nnul\0 rtl\u202e <b>" };
        var read = Read(new NodeFacts([odd], [Owner with { Kind = "kind_of_tomorrow", Pid = null, Name = "\u001b[31m" }], [Name]), out var problem);
        Assert.Empty(problem);
        Assert.Equal((odd, Name, "\u001b[31m"), (read!.Facts!.Coverage[0], read.Facts.Names[0], read.Facts.Owners[0].Name));
    }

    [Fact]
    public void As_many_facts_as_a_collector_keeps_are_taken_and_no_more()
    {
        Assert.NotNull(Read(new NodeFacts([], [], [.. Enumerable.Repeat(Name, FactsCheck.FactsMax)]), out _));
        Assert.Null(Read(new NodeFacts([], [], [.. Enumerable.Repeat(Name, FactsCheck.FactsMax + 1)]), out var problem));
        Assert.Contains("8192", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_collector_says_is_refused_with_a_reason()
    {
        CoverageFact[] coverage =
        [
            Coverage with { Source = "Con track" }, Coverage with { Source = "" }, Coverage with { Aspect = "" }, Coverage with { Aspect = new string('a', 301) },
            Coverage with { Level = (CoverageLevel)3 }, Coverage with { Detail = new string('x', 1025) }, Coverage with { AtUs = -1 }, Coverage with { AtUs = long.MaxValue }, null!,
        ];
        OwnerFact[] owners =
        [
            Owner with { OwnerId = 0 }, Owner with { Kind = "" }, Owner with { Kind = "<b>" }, Owner with { Cgroup = new string('/', 4097) }, Owner with { Pid = -1 },
            Owner with { SeenAtUs = -1 }, null!,
        ];
        NameFact[] names =
        [
            Name with { Client = "10.0.0.300" }, Name with { Client = "" }, Name with { Address = "fe80::1%eth0" }, Name with { Address = "db.example" }, Name with { Name = "" },
            Name with { Name = new string('n', 254) }, Name with { SeenAtUs = long.MinValue }, null!,
        ];
        Assert.All(coverage, one => AssertRefused(new NodeFacts([Coverage, one], [], []), "coverage"));
        Assert.All(owners, one => AssertRefused(new NodeFacts([], [Owner, one], []), "owner"));
        Assert.All(names, one => AssertRefused(new NodeFacts([], [], [Name, one]), "name"));
    }

    [Theory]
    [InlineData("""{"coverage":null,"owners":[],"names":[]}""")]
    [InlineData("""{"coverage":[],"owners":[]}""")]
    [InlineData("""{"coverage":[],"owners":[],"names":[{"client":"10.0.0.1","name":"\ud800","address":"10.0.0.2","ttl_seconds":1,"seen_at_us":1}]}""")]
    [InlineData("""{"coverage":[],"owners":[],"names":[{"client":"10.0.0.1","name":"a","address":"10.0.0.2","ttl_seconds":-1,"seen_at_us":1}]}""")]
    public void Facts_of_another_form_are_refused(string facts)
    {
        var json = $$"""{"node":"node-1","process":"00000000-0000-0000-0000-000000000000","since_us":1,"at_us":2,"hops":[],"facts":{{facts}}}""";
        Assert.Null(AccountCheck.Read(Encoding.UTF8.GetBytes(json), Node, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void The_largest_report_that_a_collector_makes_fits_into_what_an_intake_takes()
    {
        var notes = new NodeNotes();
        for (var i = 0; i < 20_000; i++)
        {
            notes.Note(Name with { Name = string.Concat(Enumerable.Repeat("\\\"<", 84)) });
            notes.Note(Owner with { Cgroup = new string('\u0001', 900), Executable = new string('é', 300) });
        }

        var body = TransportJson.Write(new AccountReport(Node, Guid.Empty, 1, 2, []) { Facts = notes.Take() });
        Assert.InRange(body.Length, 1 << 20, new IntakeOptions().AccountBytesMax);
        Assert.NotNull(AccountCheck.Read(body, Node, out _));
        Assert.True(notes.Account.Report() is { Holds: true, InFlight: 0 } books && books.Dropped["notes_full"] > 0);
    }

    [Fact]
    public void Facts_that_a_full_spool_refused_come_with_the_next_report()
    {
        var notes = new NodeNotes();
        notes.Note(Coverage);
        notes.Note(Name);
        notes.Return(notes.Take());
        notes.Note(Coverage);
        Assert.True(notes.Account.Report() is { Holds: true, Seen: 2, InFlight: 2 });
        var taken = notes.Take();
        Assert.Equal((Coverage, Name), (Assert.Single(taken.Coverage), Assert.Single(taken.Names)));
        Assert.True(notes.Account.Report() is { Holds: true, Forwarded: 2, InFlight: 0 });
    }

    [Fact]
    public void Node_may_say_what_it_is_within_bounds_and_no_more()
    {
        HostAddress[] many = [.. Enumerable.Repeat(new HostAddress("10.0.0.1", 1), HostFact.AddressesMax + 1)];
        var labels = new Dictionary<string, string> { ["env\u202e"] = "<b>\u0007no" };
        var host = new HostFact("vm", "0123456789abcdef", [.. many.Skip(1)], new Dictionary<string, string> { ["os"] = "debian" }, labels, 1_000_000);
        var read = Read(NodeFacts.None with { Hosts = [host] }, out var problem);
        Assert.Empty(problem);
        Assert.Equal("<b>\u0007no", read!.Facts!.Hosts![0].Labels["env\u202e"]);

        HostFact[] bad =
        [
            host with { Kind = "pod" }, host with { Kind = "" }, host with { Machine = "x" }, host with { Machine = "0123456789ABCDEF" }, host with { Addresses = many },
            host with { Addresses = [new HostAddress("10.0.0.0/8", 1)] }, host with { Addresses = [new HostAddress("10.0.0.1", -1)] }, host with { Addresses = [null!] },
            host with { Facts = new Dictionary<string, string> { ["O S"] = "x" } }, host with { Facts = new Dictionary<string, string> { ["os"] = new('x', 254) } },
            host with { Facts = Enumerable.Range(0, 33).ToDictionary(i => $"f{i}", _ => "") }, host with { Labels = Enumerable.Range(0, 65).ToDictionary(i => $"l{i}", _ => "") },
            host with { Labels = new Dictionary<string, string> { ["host.os"] = "x" } }, host with { Labels = new Dictionary<string, string> { ["a\u001f"] = "x" } },
            host with { Labels = new Dictionary<string, string> { ["a"] = null! } }, host with { AtUs = -1 }, null!,
        ];
        Assert.All(bad, one => AssertRefused(NodeFacts.None with { Hosts = [one] }, ""));
        Assert.Null(Read(NodeFacts.None with { Hosts = [.. Enumerable.Repeat(host with { Addresses = [] }, FactsCheck.HostsMax + 1)] }, out _));
    }

    private static AccountReport? Read(NodeFacts facts, out string problem) =>
        AccountCheck.Read(TransportJson.Write(new AccountReport(Node, Guid.Empty, 1, 2, []) { Facts = facts }), Node, out problem);

    private static void AssertRefused(NodeFacts facts, string about)
    {
        Assert.Null(Read(facts, out var problem));
        Assert.Contains(about, problem, StringComparison.Ordinal);
    }
}
