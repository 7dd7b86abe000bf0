using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

public sealed class PolicyPageTests
{
    [Fact]
    public void Review_stands_at_the_policies_of_its_own_ends_and_the_rest_once()
    {
        var suggestion = new Suggestion(
            PolicySet.Of([Policy("shop", "web"), Policy("shop", "web-admin"), Policy("data", "db")]),
            [
                Item("shop/web", "data/db", ReviewReason.Refused),
                Item("shop/web-admin", "", ReviewReason.DirectionNotObserved),
                Item("shop/toolbox", "", ReviewReason.Scanner),
                Item("eshop/web", "vm", ReviewReason.Unanswered),
            ]);

        var page = PolicyPage.Of(suggestion, SegmentLevel.Workload);

        Assert.Equal(["shop/web → data/db on TCP 80: why (3 connections)."], page.Policies.Single(policy => policy.Name == "web-deployment").Review);
        Assert.Equal(["shop/web-admin: why."], page.Policies.Single(policy => policy.Name == "web-admin-deployment").Review);
        Assert.Equal(["shop/web → data/db on TCP 80: why (3 connections)."], page.Policies.Single(policy => policy.Name == "db-deployment").Review);
        Assert.Equal(["shop/toolbox: why.", "eshop/web → vm on TCP 80: why (3 connections)."], page.Review);
    }

    private static SegmentPolicy Policy(string space, string workload) => new()
    {
        Subject = $"{space}/{workload}",
        Namespace = space,
        Name = workload + "-deployment",
        Target = PodSegment.In(space, LabelSelector.Of([new("app", workload)])),
        Ingress = [],
    };

    private static ReviewItem Item(string src, string dst, ReviewReason reason) => new()
    {
        Reason = reason,
        Src = src,
        Dst = dst,
        Protocol = dst.Length > 0 ? "tcp" : "",
        Port = dst.Length > 0 ? (ushort)80 : null,
        Connections = dst.Length > 0 ? 3 : 0,
        Detail = "why",
    };
}
