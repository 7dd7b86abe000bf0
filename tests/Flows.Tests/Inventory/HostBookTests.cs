using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Inventory.Host;
using Xunit;

namespace Flows.Tests.Inventory;

/// <summary>What nodes say of themselves, as the ledger has it.</summary>
public sealed class HostBookTests
{
    private const long Minute = UnixTime.Minute;
    private const string Machine = "0123456789abcdef";

    private readonly List<IdentityInterval> ledger = [];
    private HostBook book = new([]);

    [Fact]
    public void Address_is_the_hosts_from_when_the_kernel_gave_it_until_it_is_gone()
    {
        Say("web-1", 10 * Minute, ("10.0.0.1", 5 * Minute), ("10.0.0.2", 9 * Minute));
        Assert.Empty(Say("web-1", 11 * Minute, ("10.0.0.1", 5 * Minute), ("10.0.0.2", 9 * Minute)));
        Say("web-1", 12 * Minute, ("10.0.0.1", 5 * Minute), ("10.0.0.3", 12 * Minute));

        Assert.Equal(("", "web-1", "web-1"), (At("10.0.0.1", (5 * Minute) - 1), At("10.0.0.1", 5 * Minute), At("10.0.0.1", 99 * Minute)));
        Assert.Equal(("web-1", ""), (At("10.0.0.2", (12 * Minute) - 1), At("10.0.0.2", 12 * Minute)));
        Assert.Equal(("", "web-1"), (At("10.0.0.3", (12 * Minute) - 1), At("10.0.0.3", 12 * Minute)));
        Assert.Single(ledger.Select(said => said.Entity.Id).Distinct());
        Assert.False(ledger.Last(said => said.ValidToUs is not null).EndUncertain);
        Assert.True(book.Account.Report().Holds);
    }

    [Fact]
    public void Restarts_of_both_sides_are_no_news_and_an_end_that_nobody_saw_is_uncertain()
    {
        Say("web-1", 10 * Minute, ("10.0.0.1", 5 * Minute), ("10.0.0.2", 5 * Minute));
        book = new HostBook(ledger);
        Assert.Empty(Say("web-1", 11 * Minute, ("10.0.0.1", (5 * Minute) + 7), ("10.0.0.2", 5 * Minute)));
        book = new HostBook(ledger);
        Assert.True(Assert.Single(Say("web-1", 60 * Minute, ("10.0.0.1", 5 * Minute))).EndUncertain);
    }

    [Fact]
    public void Address_that_was_absent_cannot_have_been_held_before()
    {
        Say("web-1", 10 * Minute, ("10.0.0.1", 5 * Minute));
        Say("web-1", 20 * Minute, ("10.0.0.1", 5 * Minute), ("10.0.0.9", 0));
        Assert.Equal(("", "web-1"), (At("10.0.0.9", (10 * Minute) - 1), At("10.0.0.9", 10 * Minute)));
    }

    [Fact]
    public void Moves_between_hosts_are_told_apart_and_two_claims_are_ambiguous()
    {
        Say("web-1", 10 * Minute, ("10.0.0.1", 0));
        Say("web-1", 20 * Minute);
        Say("web-2", 20 * Minute, ("10.0.0.1", 20 * Minute));
        Assert.Equal(("web-1", "web-2"), (At("10.0.0.1", (20 * Minute) - 1), At("10.0.0.1", 20 * Minute)));
        Assert.Equal((0, null), (book.Contested, book.ContestedExample));

        Say("liar", 30 * Minute, ("10.0.0.1", 0));
        Assert.Equal("ambiguous", At("10.0.0.1", 30 * Minute));
        Assert.Equal(1, book.Contested);
        Assert.Contains("liar and web-2", book.ContestedExample, StringComparison.Ordinal);
        Assert.Equal(1, new HostBook(ledger).Contested);
        Say("liar", 40 * Minute);
        Assert.Equal((0, "web-2"), (book.Contested, At("10.0.0.1", 40 * Minute)));
    }

    [Fact]
    public void Node_speaks_for_no_other_entity_whatever_machine_it_says_it_is()
    {
        Say("web-1", 10 * Minute, ("10.0.0.1", 0));
        Say("liar", 20 * Minute, ("10.0.0.2", 0));
        Assert.Equal(2, ledger.Select(said => said.Entity.Id).Distinct().Count());
        Assert.Equal("web-1", At("10.0.0.1", 30 * Minute));
        Assert.Equal(2, Say("web-1", 40 * Minute, "west", ("10.0.0.1", 0)).Concat(ledger).Select(said => said.Entity.Scope).Distinct().Count());
        Assert.Equal("web-1", At("10.0.0.1", 50 * Minute));
    }

    [Fact]
    public void Addresses_that_all_machines_have_are_not_stated_and_stale_facts_are_not_taken()
    {
        Assert.Empty(Say("web-1", 10 * Minute, ("127.0.0.1", 0), ("fe80::1", 0), ("224.0.0.1", 0), ("169.254.169.254", 0)));
        Say("web-1", 20 * Minute, ("10.0.0.1", 0));
        Assert.Empty(Say("web-1", 19 * Minute));
        Assert.Equal((4L, 1L), (book.Account.Report().Dropped["not_unique"], book.Account.Report().Forwarded));
    }

    [Fact]
    public void Node_that_changes_all_the_time_is_cut_off_for_the_hour()
    {
        for (var i = 0; i < 10_000; i++)
        {
            Say("mad", (10 * Minute) + i, (i % 2 == 0 ? "10.0.0.1" : "10.0.0.2", 0));
        }

        Assert.InRange(ledger.Count, 4000, 4096);
        Assert.True(book.Account.Report() is { Holds: true } report && report.Dropped["churn"] > 5000);
        Assert.NotEmpty(Say("mad", 100 * Minute, ("10.0.0.3", 0)));
    }

    [Fact]
    public void Facts_and_labels_are_labels_of_the_entity_and_their_change_is_a_correction()
    {
        book.Take("east", "web-1", Fact(10, ("10.0.0.1", 0)) with { Facts = Map("os", "debian"), Labels = Map("env", "prod\u202e<b>") }, 10);
        var corrected = Assert.Single(book.Take("east", "web-1", Fact(20, ("10.0.0.1", 0)) with { Facts = Map("os", "fedora"), Kind = "host" }, 20));
        Assert.Equal((0L, null, 20L, "fedora"), (corrected.ValidFromUs, corrected.ValidToUs, corrected.LearnedAtUs, corrected.Entity.Labels["host.os"]));
        Assert.DoesNotContain("env", corrected.Entity.Labels.Keys);
    }

    private static Dictionary<string, string> Map(string key, string text) => new() { [key] = text };

    private static HostFact Fact(long atUs, params (string Address, long SinceUs)[] addresses) =>
        new("host", Machine, [.. addresses.Select(one => new HostAddress(one.Address, one.SinceUs))], Map("os", "debian"), new Dictionary<string, string>(), atUs);

    private IReadOnlyList<IdentityInterval> Say(string node, long atUs, params (string Address, long SinceUs)[] addresses) => Say(node, atUs, "east", addresses);

    private IReadOnlyList<IdentityInterval> Say(string node, long atUs, string scope, params (string Address, long SinceUs)[] addresses)
    {
        var news = book.Take(scope, node, Fact(atUs, addresses), atUs);
        ledger.AddRange(news);
        return news;
    }

    private string At(string address, long timeUs)
    {
        var answer = Ledger.Empty.Add(ledger).At("east", NetAddress.Parse(address), timeUs);
        return answer.ResolvedBy == ResolvedBy.Ambiguous ? "ambiguous" : answer.Candidates.Count == 0 ? "" : answer.Candidates[0].Name;
    }
}
