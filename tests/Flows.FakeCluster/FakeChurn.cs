using System.Globalization;

namespace Flows.FakeCluster;

/// <summary>How big a generated cluster is.</summary>
/// <param name="Pods">Running pods.</param>
/// <param name="Nodes">Nodes.</param>
/// <param name="Services">Services, each with one slice of its owner's pods.</param>
/// <param name="Seed">Of the same seed come the same clusters and changes, but for times.</param>
public sealed record FakeSize(int Pods, int Nodes, int Services, int Seed);

/// <summary>Fills a fake cluster, and keeps it changing as real ones do: rollouts, jobs that end, labels that change, addresses that are used again at once.</summary>
public sealed class FakeChurn
{
    /// <summary>Pods of one owner.</summary>
    private const int GroupSize = 5;

    private sealed class Group
    {
        public required string Kind { get; init; }

        public required string Namespace { get; init; }

        public required string Name { get; init; }

        public required IReadOnlyDictionary<string, string> Labels { get; set; }

        public required FakeOwner Owner { get; set; }

        public FakePod[] Pods { get; init; } = new FakePod[GroupSize];

        public List<FakeService> Services { get; } = [];
    }

    private readonly FakeApiServer server;
    private readonly FakeSize size;
    private readonly Random random;
    private readonly Group[] groups;
    private int uids;

    public FakeChurn(FakeApiServer server, FakeSize size)
    {
        (this.server, this.size) = (server, size);
        random = new(size.Seed);
        groups = new Group[Math.Max(1, size.Pods / GroupSize)];
    }

    /// <summary>Makes the whole cluster.</summary>
    public void Fill()
    {
        for (var i = 0; i < Math.Max(1, groups.Length / 200); i++)
        {
            Put(FakeResource.Namespaces, new FakeDocument { Name = $"team-{i}", Uid = Uid(), Labels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = $"team-{i}" } });
            Put(FakeResource.NetworkPolicies, new FakeDocument { Namespace = $"team-{i}", Name = "default", Uid = Uid(), Body = "\"spec\":{\"podSelector\":{},\"policyTypes\":[\"Ingress\"]}" });
        }

        for (var i = 0; i < size.Nodes; i++)
        {
            Put(FakeResource.Nodes, new FakeNode { Name = $"node-{i}", Uid = Uid(), Addresses = [("InternalIP", $"172.16.{i / 250}.{1 + (i % 250)}"), ("Hostname", $"node-{i}")] });
        }

        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = MakeGroup(i);
        }

        for (var i = 0; i < size.Services; i++)
        {
            MakeService(i, groups[i % groups.Length]);
        }
    }

    /// <summary>A pod is replaced, a job ends and the next begins, or a pod's label changes.</summary>
    /// <returns>How many objects were written or deleted, so how many events that makes: one to five.</returns>
    public int Change()
    {
        var group = groups[random.Next(groups.Length)];
        var slot = random.Next(GroupSize);
        var old = group.Pods[slot];
        if (random.Next(20) == 0)
        {
            group.Pods[slot] = old with { Labels = new Dictionary<string, string>(old.Labels) { ["track"] = $"t{random.Next(3)}" } };
            Put(FakeResource.Pods, group.Pods[slot]);
            return 1;
        }

        if (group.Kind == "Job")
        {
            Put(FakeResource.Pods, old with { Phase = "Succeeded", Finished = DateTimeOffset.UtcNow });
        }
        else
        {
            Put(FakeResource.Pods, old with { Deleting = DateTimeOffset.UtcNow });
        }

        server[FakeResource.Pods].Delete(old.Key);

        // Its address is used again at once, by the pod that replaces it.
        group.Pods[slot] = MakePod(group, slot, old.Addresses[0], old.Node, DateTimeOffset.UtcNow);
        Put(FakeResource.Pods, group.Pods[slot] with { Phase = "Pending", Addresses = [], Started = null });
        Put(FakeResource.Pods, group.Pods[slot]);
        foreach (var service in group.Services)
        {
            PutSlice(service, group);
        }

        return 4 + group.Services.Count;
    }

    /// <summary>The time that is written into the names of pods that <see cref="Change"/> makes, µs; null for other pods.</summary>
    public static long? MadeAtUs(string pod)
    {
        var at = pod.LastIndexOf("-t", StringComparison.Ordinal);
        return at >= 0 && long.TryParse(pod.AsSpan(at + 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var us) ? us : null;
    }

    private Group MakeGroup(int number)
    {
        var kind = (number % 10) switch { 0 => "Job", 1 => "StatefulSet", 2 => "DaemonSet", _ => "Deployment" };
        var (space, name) = ($"team-{number / 200}", $"app-{number}");
        var labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = name, ["app.kubernetes.io/part-of"] = $"system-{number % 97}", ["tier"] = $"tier-{number % 3}" };
        var group = new Group { Kind = kind, Namespace = space, Name = name, Labels = labels, Owner = new("apps/v1", kind, name, Uid()) };
        var workload = new FakeWorkload { Namespace = space, Name = name, Uid = group.Owner.Uid, Labels = labels, Selector = new Dictionary<string, string> { ["app.kubernetes.io/name"] = name } };
        Put(kind switch { "Job" => FakeResource.Jobs, "StatefulSet" => FakeResource.StatefulSets, "DaemonSet" => FakeResource.DaemonSets, _ => FakeResource.Deployments }, workload);
        if (kind == "Deployment")
        {
            group.Labels = new Dictionary<string, string>(labels) { ["pod-template-hash"] = $"{number:x8}" };
            var set = workload with { Name = $"{name}-{number:x8}", Uid = Uid(), Labels = group.Labels, Owner = group.Owner };
            Put(FakeResource.ReplicaSets, set);
            group.Owner = new("apps/v1", "ReplicaSet", set.Name, set.Uid);
        }

        for (var slot = 0; slot < GroupSize; slot++)
        {
            var index = (number * GroupSize) + slot;
            group.Pods[slot] = MakePod(group, slot, $"10.{(index >> 16) & 255}.{(index >> 8) & 255}.{index & 255}", $"node-{index % Math.Max(1, size.Nodes)}", null);
            Put(FakeResource.Pods, group.Pods[slot]);
        }

        return group;
    }

    private FakePod MakePod(Group group, int slot, string address, string node, DateTimeOffset? now)
    {
        var stem = group.Kind == "StatefulSet" ? $"{group.Name}-{slot}" : $"{group.Owner.Name}-{slot}{random.Next(1 << 16):x4}";
        return new()
        {
            Namespace = group.Namespace,
            Name = now is { } at ? string.Create(CultureInfo.InvariantCulture, $"{stem}-t{(at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / 10:x}") : stem,
            Uid = Uid(),
            Node = node,
            Addresses = [address],
            Labels = group.Labels,
            Owner = group.Owner,
            RestartPolicy = group.Kind == "Job" ? "Never" : "Always",
            Created = now ?? new DateTimeOffset(2026, 1, 31, 10, 0, 0, TimeSpan.Zero),
            Started = now ?? new DateTimeOffset(2026, 1, 31, 10, 0, 1, TimeSpan.Zero),
        };
    }

    private void MakeService(int number, Group group)
    {
        var service = new FakeService
        {
            Namespace = group.Namespace,
            Name = $"svc-{number}",
            Uid = Uid(),
            ClusterIps = [$"10.{200 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"],
            Selector = new Dictionary<string, string> { ["app.kubernetes.io/name"] = group.Name },
            Ports = [new("http", 80, "http")],
        };
        group.Services.Add(service);
        Put(FakeResource.Services, service);
        PutSlice(service, group);
    }

    private void PutSlice(FakeService service, Group group) => Put(FakeResource.EndpointSlices, new FakeSlice
    {
        Namespace = service.Namespace,
        Name = $"{service.Name}-x",
        Uid = $"slice-{service.Uid}",
        Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = service.Name, ["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io" },
        Owner = new("v1", "Service", service.Name, service.Uid),
        Endpoints = [.. group.Pods.Select(pod => new FakeEndpoint(pod.Addresses[0], pod.Uid, pod.Name))],
        Ports = [("http", 8080, "TCP")],
    });

    private void Put(FakeResource resource, FakeObject one) => server[resource].Put(one.Key, one.Json());

    /// <summary>In the form of a UUID, since their length counts.</summary>
    private string Uid() => string.Create(CultureInfo.InvariantCulture, $"{size.Seed:x8}-0000-4000-8000-{++uids:x12}");
}
