using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>A pod or machine of a workload while it held its address, µs since the epoch.</summary>
internal sealed record SimPod(SimWorkload Workload, Entity Entity, NetAddress Address, long FromUs, long ToUs);

/// <summary>One life of one replica, µs since the epoch.</summary>
/// <param name="Revision">Counts roll-outs.</param>
/// <param name="Generation">Counts how often the workload was made anew.</param>
internal sealed record SimLife(SimWorkload Workload, int Replica, int Revision, int Generation, long From, long To);

/// <summary>Who ran when: roll-outs with new labels, jobs, and addresses that the next pod gets a second after the last one left them.</summary>
internal sealed class SimFleet
{
    public const string Cluster = "c1";
    public const int Nodes = 4;
    public const long SecondUs = 1_000_000;
    public const long HourUs = 3600 * SecondUs;
    public const long DayUs = 24 * HourUs;

    /// <summary>Monday, 5 January 2026.</summary>
    public const long StartUs = 1_767_571_200 * SecondUs;

    private readonly Dictionary<string, List<SimPod>> byWorkload = new(StringComparer.Ordinal);
    private readonly Ledger ledger;

    public SimFleet(Topology topology, SimPlan plan)
    {
        Plan = plan;
        var random = new Random(plan.Seed);
        List<SimLife> lives = [];
        foreach (var workload in topology.Workloads.Where(workload => !workload.IsOutside))
        {
            lives.AddRange(Lives(workload, plan, random));
        }

        // The free address that was left last goes first, a second after.
        List<(NetAddress Address, long Free)> free = [];
        var next = 0u;
        foreach (var life in lives.OrderBy(life => life.From).ThenBy(life => life.Workload.Id, StringComparer.Ordinal).ThenBy(life => life.Replica))
        {
            var at = life.Workload is { IsPod: true, HostNetwork: false } ? free.FindLastIndex(one => one.Free + SecondUs <= life.From) : -1;
            var address = at >= 0 ? free[at].Address : AddressOf(life.Workload, life.Replica, ref next);
            if (at >= 0)
            {
                free.RemoveAt(at);
            }

            var pod = new SimPod(life.Workload, EntityOf(life, random, plan), address, life.From, life.To);
            Of(life.Workload.Id).Add(pod);
            if (life.Workload is { IsPod: true, HostNetwork: false })
            {
                free.Add((address, life.To));
                free.Sort((a, b) => a.Free.CompareTo(b.Free));
            }
        }

        NodeEntities = [.. Enumerable.Range(1, Nodes).Select(NodeOf)];
        ledger = Ledger.Empty.Add(Statements());
    }

    public SimPlan Plan { get; }

    public IReadOnlyList<(Entity Entity, NetAddress Address)> NodeEntities { get; }

    public IEnumerable<SimPod> Pods => byWorkload.Values.SelectMany(pods => pods);

    /// <summary>The pods of a workload that run at a time.</summary>
    public List<SimPod> Running(string workload, long us) => [.. Of(workload).Where(pod => pod.FromUs <= us && us < pod.ToUs)];

    public List<SimPod> Of(string workload) => byWorkload.TryGetValue(workload, out var pods) ? pods : byWorkload[workload] = [];

    /// <summary>Whom the ledger names, as of then.</summary>
    public (Entity Entity, bool Ambiguous) NameOf(NetAddress address, long us)
    {
        var resolution = ledger.At(Cluster, address, us);
        return (resolution.EntityFor(Cluster, address), resolution.Candidates.Count > 1);
    }

    /// <summary>What the ledger was told: addresses of pods in the nodes' network belong to the node.</summary>
    public IEnumerable<IdentityInterval> Statements() => Pods.Where(pod => !pod.Workload.HostNetwork).Select(pod => Statement(pod.Entity, pod.Address, pod.FromUs, pod.ToUs))
        .Concat(NodeEntities.Select(node => Statement(node.Entity, node.Address, StartUs - DayUs, long.MaxValue)));

    /// <summary>What the ledger was told until then: what lies ahead nobody can know.</summary>
    public IReadOnlyList<IdentityInterval> StatementsUntil(long us) =>
        [.. Statements().Where(said => said.ValidFromUs < us).Select(said => said.ValidToUs >= us ? said with { ValidToUs = null } : said)];

    public static IdentityInterval Statement(Entity entity, NetAddress address, long from, long to) => new()
    {
        IntervalId = IdentityInterval.IdOf(entity, address, 128, from),
        Entity = entity,
        Address = address,
        ValidFromUs = from,
        ValidToUs = to == long.MaxValue ? null : to,
        LearnedAtUs = from,
        Origin = Origins.Kubernetes,
    };

    private static IEnumerable<SimLife> Lives(SimWorkload workload, SimPlan plan, Random random)
    {
        var until = StartUs + ((plan.TrainDays + plan.TestDays) * DayUs) + DayUs;
        if (workload.Kind == "CronJob")
        {
            for (var day = 0; day < plan.TrainDays + plan.TestDays; day++)
            {
                var from = StartUs + (day * DayUs) + (2 * HourUs) + random.NextInt64(600 * SecondUs);
                yield return new(workload, day, 0, 0, from, from + (1800 * SecondUs));
            }

            yield break;
        }

        if (workload.Retires)
        {
            for (var replica = 0; replica < workload.Replicas; replica++)
            {
                yield return new(workload, replica, 0, 0, StartUs, StartUs + ((plan.TrainDays - 3) * DayUs));
            }

            yield break;
        }

        // One roll-out while training for half of them, one for all when training ends; a workload that is made anew is away for an hour.
        List<(long At, long Away, int Generation)> breaks = workload.Kind is "Deployment" or "StatefulSet" ? [(StartUs + (plan.TrainDays * DayUs), SecondUs, 0)] : [];
        if (breaks.Count > 0 && random.Next(2) == 0)
        {
            breaks.Add((StartUs + (random.NextInt64(1, plan.TrainDays) * DayUs) + random.NextInt64(DayUs / 2), SecondUs, 0));
        }

        if (breaks.Count > 0 && plan.Recreate && random.Next(2) == 0)
        {
            breaks.Add((StartUs + (plan.TrainDays / 2 * DayUs) + (DayUs / 2) + random.NextInt64(DayUs / 3), HourUs, 1));
        }

        breaks.Sort();
        for (var replica = 0; replica < workload.Replicas; replica++)
        {
            var (from, generation) = (StartUs, 0);
            for (var revision = 0; revision <= breaks.Count; revision++)
            {
                var to = revision < breaks.Count ? breaks[revision].At + (replica * 10 * SecondUs) : until;
                if (to > from)
                {
                    yield return new(workload, replica, revision, generation, from, to);
                }

                from = Math.Max(from, to + (revision < breaks.Count ? breaks[revision].Away : 0));
                generation += revision < breaks.Count ? breaks[revision].Generation : 0;
            }
        }
    }

    private static NetAddress AddressOf(SimWorkload workload, int replica, ref uint next) => workload.Kind == "Vm" ? NetAddress.FromV4((10u << 24) | (200u << 16) | ++next)
        : workload.HostNetwork ? NetAddress.FromV4((172u << 24) | (16u << 16) | (uint)((replica % Nodes) + 1))
        : NetAddress.FromV4((10u << 24) | (244u << 16) | ++next);

    private static (Entity, NetAddress) NodeOf(int number) => (
        new() { Id = Entity.IdOf(Cluster, EntityKind.Node, $"n{number}"), Kind = EntityKind.Node, Scope = Cluster, Cluster = Cluster, Uid = $"n{number}", Name = $"n{number}" },
        NetAddress.FromV4((172u << 24) | (16u << 16) | (uint)number));

    private static Entity EntityOf(SimLife life, Random random, SimPlan plan)
    {
        var (workload, replica, revision, _, from, _) = life;
        if (workload.Kind == "Vm")
        {
            return new() { Id = Entity.IdOf("", EntityKind.Vm, workload.Name), Kind = EntityKind.Vm, Scope = Cluster, Uid = workload.Name, Name = workload.Name };
        }

        var hash = random.Next(0x100000, 0xffffff).ToString("x", CultureInfo.InvariantCulture);
        var name = workload.Kind switch
        {
            "StatefulSet" => string.Create(CultureInfo.InvariantCulture, $"{workload.Name}-{replica}"),
            "Pod" => workload.Name,
            _ => $"{workload.Name}-{revision}-{hash}",
        };
        var selector = workload.Kind is "Pod" or "CronJob" ? [] : new Dictionary<string, string> { ["app.kubernetes.io/name"] = workload.Name, ["app.kubernetes.io/instance"] = InstanceOf(life) };
        var uid = string.Create(CultureInfo.InvariantCulture, $"{workload.Id}/{name}/{from}");
        return new()
        {
            Id = Entity.IdOf(Cluster, EntityKind.Pod, uid),
            Kind = EntityKind.Pod,
            Scope = Cluster,
            Cluster = Cluster,
            Uid = uid,
            Namespace = workload.Namespace,
            Name = name,
            WorkloadKind = workload.Kind == "Pod" ? "" : workload.Kind,
            Workload = workload.Kind == "Pod" ? "" : workload.Name,
            Node = workload.HostNetwork ? string.Create(CultureInfo.InvariantCulture, $"n{(replica % Nodes) + 1}") : string.Create(CultureInfo.InvariantCulture, $"n{random.Next(Nodes) + 1}"),
            HostNetwork = workload.HostNetwork,
            Labels = LabelsOf(life, name, hash, plan.Bump ? revision : 0),
            Selector = LabelDictionary.Of([.. selector]),
        };
    }

    /// <summary>Who makes a chart anew gives its release another name.</summary>
    private static string InstanceOf(SimLife life) => life.Generation == 0 ? life.Workload.Name : string.Create(CultureInfo.InvariantCulture, $"{life.Workload.Name}-{life.Generation + 1}");

    /// <summary>What charts put on pods: who it is, and much that changes.</summary>
    private static LabelDictionary LabelsOf(SimLife life, string name, string hash, int revision)
    {
        var (workload, replica) = (life.Workload, life.Replica);
        Dictionary<string, string> labels = new()
        {
            ["app.kubernetes.io/name"] = workload.Name,
            ["app.kubernetes.io/instance"] = InstanceOf(life),
            ["app.kubernetes.io/part-of"] = workload.Namespace,
            ["app.kubernetes.io/managed-by"] = "Helm",
            ["app.kubernetes.io/version"] = string.Create(CultureInfo.InvariantCulture, $"1.{revision}.0"),
            ["helm.sh/chart"] = string.Create(CultureInfo.InvariantCulture, $"{workload.Name}-2.{revision}.0"),
            ["build"] = string.Create(CultureInfo.InvariantCulture, $"b{(revision * 17) + 100}"),
            ["team"] = "platform",
        };
        if (workload.Kind == "Deployment")
        {
            labels["pod-template-hash"] = hash;
        }
        else if (workload.Kind == "StatefulSet")
        {
            labels["statefulset.kubernetes.io/pod-name"] = name;
            labels["apps.kubernetes.io/pod-index"] = replica.ToString(CultureInfo.InvariantCulture);
            labels["controller-revision-hash"] = $"{workload.Name}-{hash}";
        }
        else if (workload.Kind == "CronJob")
        {
            labels["job-name"] = name;
            labels["batch.kubernetes.io/controller-uid"] = hash;
        }

        foreach (var (key, value) in workload.Labels)
        {
            labels[key] = value;
        }

        return LabelDictionary.Of([.. labels]);
    }
}
