using Flows.Capture.Live;
using Flows.Core;
using Xunit;

namespace Flows.Tests.Capture.Live;

public sealed class InterfaceChoiceTests
{
    private const int Mib = 1 << 20;

    [Theory]
    [InlineData("eth0", "eth0", true)]
    [InlineData("eth0", "eth01", false)]
    [InlineData("eth0", "Eth0", false)]
    [InlineData("veth*", "veth", true)]
    [InlineData("veth*", "vethab12", true)]
    [InlineData("veth*", "xveth", false)]
    [InlineData("eth?", "eth7", true)]
    [InlineData("eth?", "eth", false)]
    [InlineData("*", "lo", true)]
    [InlineData("* !lo", "lo", false)]
    [InlineData("!lo", "lo", false)]
    [InlineData("!lo !docker*", "docker0", false)]
    [InlineData("!lo !docker*", "eth0", true)]
    [InlineData("eth0 !eth*", "eth0", false)]
    public void Names_and_globs_choose_and_exclusions_win(string patterns, string name, bool isChosen) =>
        Assert.Equal(isChosen, new InterfacePatterns(patterns.Split(' ')).Match(name) >= 0);

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    [InlineData("any")]
    [InlineData("eth 0")]
    [InlineData("../x")]
    [InlineData("sixteen-letters-")]
    public void What_can_match_nothing_is_a_wrong_question(string pattern) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => new InterfacePatterns([pattern])).ExitCode);

    [Fact]
    public void Names_are_served_before_globs()
    {
        var patterns = new InterfacePatterns(["veth*", "eth0", "!lo", "eth1"]);
        Assert.Equal(["eth0", "eth1", "veth*"], patterns.Chosen);
        Assert.Equal((2, true, 2), (patterns.Names, patterns.HasGlobs, patterns.Match("veth1")));
    }

    [Fact]
    public void Names_share_the_whole_ring_budget()
    {
        var budget = new RingBudget(32 * Mib, names: 2, hasGlobs: false);
        Assert.Equal((16 * Mib, 16 * Mib, 0), (budget.Take(2, 1), budget.Take(2, 0), budget.Take(3, 0)));
    }

    [Fact]
    public void Fifteen_interfaces_that_come_one_by_one_all_find_room()
    {
        var budget = new RingBudget(32 * Mib, names: 0, hasGlobs: true);
        var rings = new List<int>();
        for (var wanted = 1; wanted <= 16; wanted++)
        {
            var ring = budget.Take(wanted, 0);
            if (ring == 0)
            {
                var largest = rings.Max();
                var smaller = budget.Halved(largest);
                Assert.True(smaller > 0);
                rings[rings.IndexOf(largest)] = smaller;
                budget.Replace(largest, smaller);
                ring = budget.Take(wanted, 0);
            }

            Assert.InRange(ring, 2 * Mib, 32 * Mib);
            rings.Add(ring);
            Assert.Equal(rings.Sum(), budget.UsedBytes);
            Assert.InRange(budget.UsedBytes, 0, 32 * Mib);
        }

        Assert.Equal(0, budget.Take(17, 0));
        Assert.Equal(0, budget.Halved(rings.Max()));
        rings.ForEach(budget.Return);
        Assert.Equal((0, 0), (budget.UsedBytes, budget.Handles));
    }

    [Fact]
    public void Room_is_kept_for_a_name_that_is_away()
    {
        var budget = new RingBudget(4 * Mib, names: 1, hasGlobs: true);
        Assert.Equal(2 * Mib, budget.Take(1, namesNotOpen: 1));
        Assert.Equal(0, budget.Take(2, namesNotOpen: 1));
        Assert.Equal(2 * Mib, budget.Take(2, namesNotOpen: 0));
    }
}
