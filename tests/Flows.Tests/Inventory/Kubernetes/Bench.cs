using System.Text;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Stating;
using Flows.Inventory.Kubernetes.Watching;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

/// <summary>A cluster's ledger without a cluster: objects in the wire format go in, and one asks who held what. Times are seconds after a start.</summary>
internal sealed class Bench(string cluster = "c1", string scope = "lab")
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 10, 0, 0, TimeSpan.Zero);
    private readonly TextPool pool = new();

    public ClusterLedger Ledger { get; } = new(cluster, scope);

    public List<IdentityInterval> Said { get; } = [];

    public List<ServicePort> Ports { get; } = [];

    public List<Backend> Backends { get; } = [];

    public List<ClusterObject> Objects { get; } = [];

    public InventoryNews All => new() { Identities = Said, ServicePorts = Ports, Backends = Backends, Objects = Objects };

    public static DateTimeOffset At(double seconds) => Start.AddSeconds(seconds);

    public static long Us(double seconds) => UnixTime.ToUs(At(seconds));

    public static double Seconds(long us) => (us - Us(0)) / 1e6;

    public static FakePod Pod(string name, string? address = null, string? uid = null, double created = 0) => new()
    {
        Namespace = "shop",
        Name = name,
        Uid = uid ?? $"uid-{name}",
        Addresses = address is null ? [] : address.Split(','),
        Created = At(created),
        Started = At(created),
        Labels = new Dictionary<string, string> { ["app"] = "web" },
    };

    public Bench Event(FakeObject one, double at, bool gone = false, ResourceKind? kind = null)
    {
        Apply(one, kind, gone, listed: false, at);
        return this;
    }

    public Bench List(ResourceKind kind, double at, params FakeObject[] objects)
    {
        Ledger.BeginList(kind);
        foreach (var one in objects)
        {
            Apply(one, kind, gone: false, listed: true, at);
        }

        Ledger.EndList(kind, Us(at));
        Take();
        return this;
    }

    /// <summary>The names of those who held the address, separated by bars; empty for nobody.</summary>
    public string Who(string address, double at) =>
        string.Join('|', Core.Identity.Ledger.Empty.Add(Said).At(scope, NetAddress.Parse(address), Us(at)).Candidates.Select(one => one.Name));

    /// <summary>The entity that alone held the address.</summary>
    public Entity Holder(string address, double at) => Assert.Single(Core.Identity.Ledger.Empty.Add(Said).At(scope, NetAddress.Parse(address), Us(at)).Candidates);

    /// <summary>What holds of each interval about the address: from, to (infinite while open), end uncertain.</summary>
    public (double From, double To, bool Uncertain)[] Intervals(string address) =>
    [
        .. Said.Where(one => one.Address == NetAddress.Parse(address)).GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!)
            .OrderBy(one => one.ValidFromUs).ThenBy(one => one.ValidToUs)
            .Select(one => (Seconds(one.ValidFromUs), one.ValidToUs is { } to ? Seconds(to) : double.PositiveInfinity, one.EndUncertain)),
    ];

    /// <summary>What holds of each backend and is open.</summary>
    public Backend[] OpenBackends() => [.. Backends.GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!).Where(one => one.ValidToUs is null)];

    public ServicePort[] OpenPorts() => [.. Ports.GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!).Where(one => one.ValidToUs is null)];

    private void Apply(FakeObject one, ResourceKind? kind, bool gone, bool listed, double at)
    {
        var resource = kind ?? one switch
        {
            FakePod => ResourceKind.Pods,
            FakeService => ResourceKind.Services,
            FakeSlice => ResourceKind.EndpointSlices,
            FakeNode => ResourceKind.Nodes,
            _ => throw new ArgumentException("say which kind", nameof(kind)),
        };
        var read = Resource.All.Single(known => known.Kind == resource).Read(Encoding.UTF8.GetBytes(one.Json()), pool);
        Ledger.Apply(resource, read, gone, listed, Us(at));
        Take();
    }

    private void Take()
    {
        var news = Ledger.TakeNews();
        Said.AddRange(news.Identities);
        Ports.AddRange(news.ServicePorts);
        Backends.AddRange(news.Backends);
        Objects.AddRange(news.Objects);
    }
}
