using Flows.Core;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>For which cluster a draft is, and what concerns it.</summary>
public sealed class DraftOptionTests
{
    [Theory]
    [InlineData("policies/", null, "policies/")]
    [InlineData("east=policies/", "east", "policies/")]
    [InlineData("east=a=b.yaml", "east", "a=b.yaml")]
    [InlineData("./a=b.yaml", null, "./a=b.yaml")]
    [InlineData("/etc/a=b/policies", null, "/etc/a=b/policies")]
    public void A_draft_may_name_its_cluster(string text, string? cluster, string path) => Assert.Equal(new DraftOptions(cluster, path), DraftOptions.Read(text));

    [Theory]
    [InlineData("east=", "no file or directory")]
    [InlineData("=policies/", "no cluster")]
    [InlineData("", "no file or directory")]
    public void A_part_that_is_missing_is_named(string text, string says)
    {
        var fault = Assert.Throws<FlowsException>(() => DraftOptions.Read(text));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_edge_concerns_a_cluster_by_an_end_in_it_or_by_none_in_any()
    {
        var (east, west) = (Pod("web-0", "web", "app=web", cluster: "east"), Pod("web-0", "web", "app=web", cluster: "west"));
        var (machine, other) = (Machine(Core.Identity.EntityKind.Vm, "vm"), Machine(Core.Identity.EntityKind.Vm, "vm2"));
        var (inEast, across, inWest, toWest, between) = (Edge(machine, east, 1), Edge(east, west, 2), Edge(west, west with { Id = 7 }, 3), Edge(machine, west, 4), Edge(machine, other, 5));
        Assert.Equal([inEast, across, between], ClusterEdges.Of([inEast, across, inWest, toWest, between], "east"));
        Assert.Equal(5, ClusterEdges.Of([inEast, across, inWest, toWest, between], null).Count);
    }
}
