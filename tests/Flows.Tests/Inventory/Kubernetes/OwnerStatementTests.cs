using Flows.FakeCluster;
using Flows.Inventory.Kubernetes.Watching;
using Xunit;
using static Flows.Tests.Inventory.Kubernetes.Bench;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class OwnerStatementTests
{
    private static readonly FakeWorkload Web = new() { Namespace = "shop", Name = "web", Uid = "d1", Selector = new Dictionary<string, string> { ["app"] = "web" } };
    private static readonly FakeWorkload WebSet = new() { Namespace = "shop", Name = "web-abc", Uid = "rs1", Owner = new("apps/v1", "Deployment", "web", "d1") };
    private static readonly FakePod WebPod = Pod("web-abc-x", "10.0.0.1") with { Owner = new("apps/v1", "ReplicaSet", "web-abc", "rs1") };

    [Fact]
    public void Deployment_is_found_over_its_replica_set_with_its_selector()
    {
        var bench = new Bench().List(ResourceKind.Deployments, 1, Web).List(ResourceKind.ReplicaSets, 1, WebSet).Event(WebPod, 2);
        var held = bench.Holder("10.0.0.1", 3);
        Assert.Equal(("Deployment", "web"), (held.WorkloadKind, held.Workload));
        Assert.Equal("web", held.Selector["app"]);
        Assert.Single(bench.Said);
    }

    [Fact]
    public void Owner_that_comes_later_corrects_what_was_said_from_the_beginning()
    {
        var bench = new Bench().Event(WebPod, 2);
        Assert.Equal(("ReplicaSet", "web-abc"), (bench.Holder("10.0.0.1", 3).WorkloadKind, bench.Holder("10.0.0.1", 3).Workload));

        bench.Event(WebSet, 4, kind: ResourceKind.ReplicaSets).Event(Web, 5, kind: ResourceKind.Deployments);
        Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals("10.0.0.1"));
        Assert.Equal(("Deployment", "web", 1), (bench.Holder("10.0.0.1", 1).WorkloadKind, bench.Holder("10.0.0.1", 1).Workload, bench.Holder("10.0.0.1", 1).Selector.Count));
    }

    [Fact]
    public void Hash_of_the_template_names_the_deployment_where_replica_sets_are_hidden()
    {
        var bench = new Bench().Event(WebPod with { Labels = new Dictionary<string, string> { ["app"] = "web", ["pod-template-hash"] = "abc" } }, 2);
        Assert.Equal(("Deployment", "web"), (bench.Holder("10.0.0.1", 3).WorkloadKind, bench.Holder("10.0.0.1", 3).Workload));
    }

    [Fact]
    public void Job_belongs_to_its_cron_job_or_to_itself()
    {
        var nightly = new FakeWorkload { Namespace = "shop", Name = "nightly-1", Uid = "j1", Owner = new("batch/v1", "CronJob", "nightly", "c1") };
        var once = new FakeWorkload { Namespace = "shop", Name = "once", Uid = "j2" };
        var bench = new Bench().List(ResourceKind.Jobs, 1, nightly, once)
            .Event(Pod("a", "10.0.0.1") with { Owner = new("batch/v1", "Job", "nightly-1", "j1") }, 2)
            .Event(Pod("b", "10.0.0.2") with { Owner = new("batch/v1", "Job", "once", "j2") }, 2);
        Assert.Equal(("CronJob", "nightly"), (bench.Holder("10.0.0.1", 3).WorkloadKind, bench.Holder("10.0.0.1", 3).Workload));
        Assert.Equal(("Job", "once"), (bench.Holder("10.0.0.2", 3).WorkloadKind, bench.Holder("10.0.0.2", 3).Workload));
    }

    [Theory]
    [InlineData("apps/v1", "StatefulSet")]
    [InlineData("apps/v1", "DaemonSet")]
    [InlineData("argoproj.io/v1alpha1", "Rollout")]
    public void Direct_owner_is_the_workload(string version, string kind)
    {
        var bench = new Bench().Event(Pod("x", "10.0.0.1") with { Owner = new(version, kind, "owner", "o1") }, 2);
        Assert.Equal((kind, "owner"), (bench.Holder("10.0.0.1", 3).WorkloadKind, bench.Holder("10.0.0.1", 3).Workload));
    }

    [Fact]
    public void Bare_pods_have_no_workload_and_static_ones_share_that_of_their_manifest()
    {
        var bench = new Bench().Event(Pod("bare", "10.0.0.1"), 2).Event(Pod("etcd-node-1", "10.0.0.2") with
        {
            Owner = new("v1", "Node", "node-1", "n1"),
            Annotations = new Dictionary<string, string> { ["kubernetes.io/config.mirror"] = "0123" },
        }, 2);
        Assert.Equal(("", ""), (bench.Holder("10.0.0.1", 3).WorkloadKind, bench.Holder("10.0.0.1", 3).Workload));
        Assert.Equal(("StaticPod", "etcd"), (bench.Holder("10.0.0.2", 3).WorkloadKind, bench.Holder("10.0.0.2", 3).Workload));
    }

    [Fact]
    public void Deleted_workload_of_the_same_name_leaves_its_successor_alone()
    {
        var bench = new Bench().Event(Web, 1, kind: ResourceKind.Deployments).Event(Web with { Uid = "d2", Selector = new Dictionary<string, string> { ["app"] = "new" } }, 2, kind: ResourceKind.Deployments)
            .Event(Web, 3, gone: true, kind: ResourceKind.Deployments).Event(WebSet, 4, kind: ResourceKind.ReplicaSets).Event(WebPod, 5);
        Assert.Equal("new", bench.Holder("10.0.0.1", 6).Selector["app"]);
    }
}
