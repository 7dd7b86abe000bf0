using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Tests.Support;
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
    public void Of_several_clusters_one_must_be_named_and_be_there()
    {
        IReadOnlyList<IdentityInterval> ledger = [Said("east", "10.0.0.1"), Said("west", "10.0.0.2")];
        var unclear = Assert.Throws<FlowsException>(() => PolicyInput.Of([], ledger, 0, long.MaxValue, null));
        Assert.Contains("('east', 'west'); choose one with --cluster", unclear.Message, StringComparison.Ordinal);
        var unknown = Assert.Throws<FlowsException>(() => PolicyInput.Of([], ledger, 0, long.MaxValue, "north"));
        Assert.Contains("no pod of the cluster 'north'; it knows 'east', 'west'", unknown.Message, StringComparison.Ordinal);
        Assert.Equal("west", PolicyInput.Of([], ledger, 0, long.MaxValue, "west").Cluster);
        Assert.Equal("east", PolicyInput.Of([], [ledger[0]], 0, long.MaxValue, null).Cluster);
        Assert.Equal("north", PolicyInput.Of([], [], 0, long.MaxValue, "north").Cluster);
    }

    [Fact]
    public void An_edge_concerns_a_cluster_by_an_end_in_it_or_by_none_in_any()
    {
        var (east, west) = (Pod("web-0", "web", "app=web", cluster: "east"), Pod("web-0", "web", "app=web", cluster: "west"));
        var (machine, other) = (Machine(EntityKind.Vm, "vm"), Machine(EntityKind.Vm, "vm2"));
        var (inEast, across, inWest, toWest, between) = (Edge(machine, east, 1), Edge(east, west, 2), Edge(west, west with { Id = 7 }, 3), Edge(machine, west, 4), Edge(machine, other, 5));
        Assert.Equal([inEast, across, between], ClusterEdges.Of([inEast, across, inWest, toWest, between], "east"));
        Assert.Equal(5, ClusterEdges.Of([inEast, across, inWest, toWest, between], null).Count);
    }

    private static IdentityInterval Said(string cluster, string address) => Some.Identity(Pod("web-0", "web", "app=web", cluster: cluster), address, 0);
}
