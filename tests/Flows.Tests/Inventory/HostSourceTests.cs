using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory;
using Xunit;

namespace Flows.Tests.Inventory;

public sealed class HostSourceTests
{
    private static HostFacts Facts(params string[] addresses) => new("web-01", "0123456789abcdef", [.. addresses.Select(NetAddress.Parse)]);

    [Fact]
    public void Restart_with_the_same_addresses_says_nothing_new()
    {
        var first = HostSource.News(Facts("10.0.0.1", "10.0.0.2"), "east", [], sinceUs: 5, nowUs: 10);

        Assert.Equal(2, first.Count);
        Assert.All(first, said => Assert.Equal((5, 10, null), (said.ValidFromUs, said.LearnedAtUs, said.ValidToUs)));
        Assert.Empty(HostSource.News(Facts("10.0.0.1", "10.0.0.2"), "east", first, sinceUs: 50, nowUs: 100));
    }

    [Fact]
    public void Address_that_is_gone_is_closed_and_one_that_comes_back_begins_anew()
    {
        var ledger = new List<IdentityInterval>(HostSource.News(Facts("10.0.0.1"), "east", [], 5, 10));
        ledger.AddRange(HostSource.News(Facts("10.0.0.2"), "east", ledger, 50, 100));
        ledger.AddRange(HostSource.News(Facts("10.0.0.1", "10.0.0.2"), "east", ledger, 50, 200));

        var spans = Timeline.Compile(ledger);
        Assert.Equal(
            [("10.0.0.1", 5L, 100L), ("10.0.0.1", 200L, long.MaxValue), ("10.0.0.2", 50L, long.MaxValue)],
            spans.Select(span => (span.Address.ToString(), span.FromUs, span.ToUs)));
    }

    [Fact]
    public void Hosts_that_share_a_machine_id_are_told_apart_by_name_and_the_id_is_not_shown()
    {
        var one = Assert.Single(HostSource.News(Facts("10.0.0.1"), "east", [], 0, 1)).Entity;
        var other = Assert.Single(HostSource.News(Facts("10.0.0.1") with { Name = "web-02" }, "east", [], 0, 1)).Entity;

        Assert.NotEqual(one.Id, other.Id);
        Assert.DoesNotContain("0123456789abcdef", one.Uid, StringComparison.Ordinal);
    }

    [Fact]
    public void This_machine_has_a_name_and_no_address_that_every_machine_has()
    {
        var facts = HostFacts.Read();

        Assert.NotEmpty(facts.Name);
        Assert.All(facts.Addresses, address => Assert.True(HostFacts.IsUniqueInScope(address)));
        Assert.False(HostFacts.IsUniqueInScope(NetAddress.Parse("127.0.0.1")));
        Assert.False(HostFacts.IsUniqueInScope(NetAddress.Parse("fe80::1")));
        Assert.True(HostFacts.IsUniqueInScope(NetAddress.Parse("10.0.0.1")));
    }
}
