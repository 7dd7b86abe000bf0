using System.Text;
using Flows.Inventory.Kubernetes.Reading;
using k8s;
using k8s.Models;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

/// <summary>What others' model of the API writes is read as they meant it; and what the fake cluster writes is what they read.</summary>
public sealed class OfficialModelTests
{
    private static readonly DateTime At = new(2026, 1, 31, 10, 0, 0, DateTimeKind.Utc);

    private static T Read<T>(object model, ReadObject read) where T : KubeObject => (T)read(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(model)), new TextPool());

    private delegate KubeObject ReadObject(ReadOnlySpan<byte> utf8, TextPool pool);

    private static V1ObjectMeta Meta(string name) => new()
    {
        Name = name,
        NamespaceProperty = "shop",
        Uid = "0b7a1c5e-0000-4000-8000-000000000001",
        ResourceVersion = "12345",
        CreationTimestamp = At,
        Labels = new Dictionary<string, string> { ["app"] = "wéb \"<1>\"", ["a"] = "1" },
        OwnerReferences = [new() { ApiVersion = "v1", Kind = "Other", Name = "o", Uid = "u0" }, new() { ApiVersion = "apps/v1", Kind = "ReplicaSet", Name = "web-abc", Uid = "u1", Controller = true }],
        ManagedFields = [new() { Manager = "kubelet", Operation = "Update", FieldsType = "FieldsV1" }],
    };

    [Fact]
    public void Pod_is_read_as_the_model_writes_it()
    {
        var pod = Read<PodObject>(new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = Meta("web"),
            Spec = new() { NodeName = "node-1", HostNetwork = true, RestartPolicy = "Never", Containers = [new() { Name = "main", Image = "app", Ports = [new() { ContainerPort = 8080 }] }] },
            Status = new()
            {
                Phase = "Running",
                PodIP = "10.0.0.1",
                PodIPs = [new() { Ip = "10.0.0.1" }, new() { Ip = "fd00::1" }],
                StartTime = At.AddSeconds(2),
                Conditions = [new() { Type = "Ready", Status = "False", LastTransitionTime = At.AddSeconds(50) }, new() { Type = "Initialized", Status = "True", LastTransitionTime = At }],
                ContainerStatuses =
                [
                    new() { Name = "main", Image = "app", ImageID = "", State = new() { Terminated = new() { ExitCode = 0, FinishedAt = At.AddSeconds(40), StartedAt = At } } },
                    new() { Name = "second", Image = "app", ImageID = "", State = new() { Terminated = new() { ExitCode = 1, FinishedAt = At.AddSeconds(45) } } },
                ],
                InitContainerStatuses = [new() { Name = "sidecar", Image = "app", ImageID = "", State = new() { Running = new() { StartedAt = At } } }],
            },
        }, PodReader.Read);

        Assert.Equal(("web", "shop", "12345", "ReplicaSet", "web-abc", OwnerRef.Hash("u1")), (pod.Meta.Name, pod.Meta.Namespace, pod.Meta.ResourceVersion, pod.Meta.Owner!.Kind, pod.Meta.Owner.Name, pod.Meta.Owner.UidHash));
        Assert.Equal(["a=1", "app=wéb \"<1>\""], pod.Meta.Labels.Select(label => $"{label.Key}={label.Value}"));
        Assert.Equal(["10.0.0.1", "fd00::1"], pod.Addresses.Select(address => address.ToString()));
        Assert.Equal(("node-1", true, "Never", "Running"), (pod.Node, pod.HostNetwork, pod.RestartPolicy, pod.Phase));
        Assert.Equal((2, 45, 50), (Second(pod.StartedUs), Second(pod.FinishedUs), Second(pod.LastConditionUs)));
        Assert.False(pod.AllTerminated, "a sidecar runs");
    }

    [Fact]
    public void Slice_service_and_node_are_read_as_the_model_writes_them()
    {
        var slice = Read<SliceObject>(new V1EndpointSlice
        {
            Metadata = new() { Name = "web-x", NamespaceProperty = "shop", Uid = "u2", Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "web" } },
            AddressType = "IPv4",
            Endpoints = [new() { Addresses = ["10.0.0.1"], Conditions = new() { Ready = false, Serving = true, Terminating = true }, TargetRef = new() { Kind = "Pod", Name = "web", Uid = "u1" } }, new() { Addresses = ["10.0.0.2"] }],
            Ports = [new() { Name = "http", Port = 8080, Protocol = "TCP" }, new() { Name = "all", Port = null }],
        }, SliceReader.Read);
        Assert.Equal(("web", 1), (slice.Service, slice.Ports.Count));
        Assert.Equal([("10.0.0.1", "u1", false, true, true), ("10.0.0.2", "", true, true, false)], slice.Endpoints.Select(one => (one.Address.ToString(), one.TargetUid, one.Ready, one.Serving, one.Terminating)));

        var service = Read<ServiceObject>(new V1Service
        {
            Metadata = Meta("web"),
            Spec = new()
            {
                Type = "LoadBalancer",
                ClusterIP = "10.96.0.1",
                ClusterIPs = ["10.96.0.1", "fd00:96::1"],
                ExternalIPs = ["192.0.2.1"],
                Selector = new Dictionary<string, string> { ["app"] = "web" },
                Ports = [new() { Name = "http", Port = 80, TargetPort = "web", NodePort = 30080, Protocol = "TCP" }, new() { Port = 53, TargetPort = 5353, Protocol = "UDP" }],
            },
            Status = new() { LoadBalancer = new() { Ingress = [new() { Ip = "198.51.100.1" }, new() { Hostname = "lb.example" }] } },
        }, ServiceReader.Read);
        Assert.Equal(["10.96.0.1", "fd00:96::1", "192.0.2.1", "198.51.100.1"], service.Addresses.Select(address => address.ToString()));
        Assert.Equal([new(6, 80, "http", "web", 30080), new(17, 53, "", "5353", 0)], service.Ports);

        var node = Read<NodeObject>(new V1Node { Metadata = Meta("node-1"), Status = new() { Addresses = [new() { Type = "InternalIP", Address = "192.168.0.1" }, new() { Type = "Hostname", Address = "node-1" }] } }, NodeReader.Read);
        Assert.Equal("192.168.0.1", Assert.Single(node.Addresses).ToString());
    }

    [Fact]
    public void Fake_objects_are_what_the_model_reads()
    {
        var pod = KubernetesJson.Deserialize<V1Pod>((Bench.Pod("web", "10.0.0.1,fd00::1") with { Phase = "Succeeded", Finished = Bench.At(9) }).Json());
        Assert.Equal(("web", "Succeeded", "10.0.0.1", 2), (pod.Metadata.Name, pod.Status.Phase, pod.Status.PodIP, pod.Status.PodIPs.Count));
        Assert.NotNull(pod.Status.ContainerStatuses.Single().State.Terminated.FinishedAt);
        var service = KubernetesJson.Deserialize<V1Service>(new FakeCluster.FakeService { Name = "web", Uid = "s", ClusterIps = ["10.96.0.1"], Ingress = ["192.0.2.1"], Ports = [new("http", 80, "web", NodePort: 30080)] }.Json());
        Assert.Equal(("10.96.0.1", "192.0.2.1", "web"), (service.Spec.ClusterIP, service.Status.LoadBalancer.Ingress.Single().Ip, service.Spec.Ports.Single().TargetPort.Value));
        var slice = KubernetesJson.Deserialize<V1EndpointSlice>(new FakeCluster.FakeSlice { Name = "web", Uid = "e", Endpoints = [new("10.0.0.1", "u1", "web-1")], Ports = [("http", 8080, "TCP")] }.Json());
        Assert.Equal(("10.0.0.1", "u1", 8080), (slice.Endpoints.Single().Addresses.Single(), slice.Endpoints.Single().TargetRef.Uid, slice.Ports.Single().Port));
        var node = KubernetesJson.Deserialize<V1Node>(new FakeCluster.FakeNode { Name = "n", Uid = "n", Addresses = [("InternalIP", "192.168.0.1")], PodCidrs = ["10.244.0.0/24"] }.Json());
        Assert.Equal(("10.244.0.0/24", "192.168.0.1"), (node.Spec.PodCIDR, node.Status.Addresses.Single().Address));
        var set = KubernetesJson.Deserialize<V1ReplicaSet>(new FakeCluster.FakeWorkload { Name = "r", Uid = "r", Selector = new Dictionary<string, string> { ["app"] = "web" } }.Json());
        Assert.Equal("web", set.Spec.Selector.MatchLabels["app"]);
    }

    private static int Second(long? us) => (int)((us!.Value - Core.UnixTime.ToUs(At)) / 1_000_000);
}
