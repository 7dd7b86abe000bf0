using Flows.FakeCluster;

namespace Flows.SystemTests.Traps;

/// <summary>One cluster's API server, and the objects that traps put into it.</summary>
internal sealed class TrapCluster(FakeApiServer api) : IAsyncDisposable
{
    /// <summary>Long before any traffic.</summary>
    private readonly DateTimeOffset before = DateTimeOffset.UtcNow.AddMinutes(-5);

    private int uids;

    public FakeApiServer Api => api;

    public static async Task<TrapCluster> StartAsync() => new(await FakeApiServer.StartAsync(token: "secret"));

    /// <summary>A pod that runs since some minutes, in namespace shop unless told otherwise.</summary>
    public FakePod Pod(string name, string address, Func<FakePod, FakePod>? but = null)
    {
        var pod = new FakePod
        {
            Namespace = "shop", Name = name, Uid = Uid(), Node = address.StartsWith(TrapNetwork.PodsOfA, StringComparison.Ordinal) ? "node-a" : "node-b", Addresses = [address],
            Created = before, Started = before, Labels = new Dictionary<string, string> { ["app"] = name },
        };
        pod = but is null ? pod : but(pod);
        Put(pod);
        return pod;
    }

    public void Put(FakePod pod) => api[FakeResource.Pods].Put(pod.Key, pod.Json());

    public void Delete(FakePod pod) => api[FakeResource.Pods].Delete(pod.Key);

    public void Node(string name, string address, IReadOnlyDictionary<string, string>? annotations = null)
    {
        var node = new FakeNode
        {
            Name = name, Uid = Uid(), Created = before, Addresses = [("InternalIP", address), ("Hostname", name)],
            Annotations = annotations ?? new Dictionary<string, string>(),
        };
        api[FakeResource.Nodes].Put(node.Key, node.Json());
    }

    /// <summary>A service of namespace shop with one port.</summary>
    public void Service(string name, string clusterIp, FakePort port, string type = "ClusterIP", bool selects = true, params string[] ingress)
    {
        var service = new FakeService
        {
            Namespace = "shop", Name = name, Uid = Uid(), Created = before, Type = type, ClusterIps = [clusterIp], Ports = [port], Ingress = ingress,
            Selector = selects ? new Dictionary<string, string> { ["app"] = $"{name}-server" } : new Dictionary<string, string>(),
        };
        api[FakeResource.Services].Put(service.Key, service.Json());
    }

    /// <summary>Where a service's endpoints are, at one port.</summary>
    public void Slice(string service, string number, int port, params FakeEndpoint[] endpoints)
    {
        var slice = new FakeSlice
        {
            Namespace = "shop", Name = $"{service}-{number}", Uid = Uid(), Created = before, Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = service },
            Endpoints = endpoints, Ports = [("http", port, "TCP")],
        };
        api[FakeResource.EndpointSlices].Put(slice.Key, slice.Json());
    }

    public void Job(string name, string uid)
    {
        var job = new FakeWorkload { Namespace = "shop", Name = name, Uid = uid, Created = before };
        api[FakeResource.Jobs].Put(job.Key, job.Json());
    }

    /// <summary>An id as the API server makes them, by which a pod's cgroup can name it.</summary>
    public string Uid() => $"{Environment.ProcessId:x8}-0000-4000-8000-{Interlocked.Increment(ref uids):x12}";

    public ValueTask DisposeAsync() => api.DisposeAsync();
}
