using System.Net;
using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.KernelCluster;
using k8s;
using k8s.Models;

namespace Flows.Benchmarks.Policy.Kernel;

/// <summary>
/// Asks the kernel what a suggestion does: its files, read by Kubernetes' own client, become packet filter rules for the pods of a moment, and each connection
/// is a packet. Neither our reader, nor our evaluator, nor our selectors have a part in it.
/// </summary>
internal static class KernelJudge
{
    private const int RandomStrangers = 3000;

    public static KernelScore Judge(SimRun run, KernelRouter router)
    {
        List<V1NetworkPolicy> policies = [.. run.Texts.Values.Select(text => KubernetesYaml.Deserialize<V1NetworkPolicy>(text, strict: true))];
        HashSet<SimTriple> stopped = [];
        HashSet<SimTriple> edges = [];
        List<string> disagreements = [];
        List<string> allowed = [];
        var (tried, unseen, strangers) = (0, 0, 0);
        var states = States(run);
        foreach (var (us, asked) in states)
        {
            router.Load(new NaiveNftables(PodsAt(run.Fleet, us), SimParties.Namespaces(run.Topology), policies).Rules());
            var passed = router.Send([.. asked.Select(one => new Probe(AddressOf(one.Meeting.Src), AddressOf(one.Meeting.Dst), one.Meeting.Protocol, one.Meeting.Port))]);
            for (var i = 0; i < asked.Count; i++)
            {
                var one = asked[i];
                if (passed[i] != run.Engine.Evaluate(one.Meeting).Allowed)
                {
                    disagreements.Add($"the kernel {(passed[i] ? "lets through" : "stops")} {one.Meeting}");
                }

                if (one.Need is not { } need)
                {
                    strangers++;
                    if (passed[i] && one.Untrue is { } untrue)
                    {
                        allowed.Add(untrue);
                    }

                    continue;
                }

                tried++;
                edges.Add(need);
                if (!passed[i] && run.Seen.Contains(need))
                {
                    stopped.Add(need);
                }
                else if (!passed[i])
                {
                    unseen++;
                }
            }
        }

        return new KernelScore
        {
            Tried = tried,
            Edges = edges.Count,
            DeniedSeen = [.. stopped.Select(edge => edge.ToString()).Order(StringComparer.Ordinal)],
            StoppedUnseen = unseen,
            Strangers = strangers,
            AllowedUntrue = [.. allowed.Distinct().Order(StringComparer.Ordinal)],
            Disagreements = disagreements,
            States = states.Count,
        };
    }

    /// <param name="Need">The edge that needs it; null for a stranger.</param>
    /// <param name="Untrue">What it is called where a client tries a listening port that it does not need.</param>
    private sealed record Asked(Connection Meeting, SimTriple? Need, string? Untrue);

    /// <summary>Moments with what is tried in them. An address is one pod's at a moment, so jobs that come and go need several.</summary>
    private static List<(long Us, List<Asked> Asked)> States(SimRun run)
    {
        // All jobs of the last night run then.
        var last = SimFleet.StartUs + ((run.Plan.TrainDays + run.Plan.TestDays - 1) * SimFleet.DayUs) + (2 * SimFleet.HourUs) + (20 * 60 * SimFleet.SecondUs);
        List<(long Us, HashSet<string> Pods, List<Asked> Asked)> states = [Moment(last)];
        foreach (var connection in run.Test.DistinctBy(one => (one.Src.Id, one.Dst.Id, one.SrcAddress, one.DstAddress, one.Need.Protocol, one.Need.Port)))
        {
            bool Runs(Entity entity, HashSet<string> pods) => entity.Kind != EntityKind.Pod || pods.Contains(entity.Uid);
            var at = states.FindIndex(state => Runs(connection.Src, state.Pods) && Runs(connection.Dst, state.Pods));
            if (at < 0)
            {
                states.Add(Moment(connection.AtUs));
                at = states.Count - 1;
            }

            states[at].Asked.Add(new Asked(SimParties.Meet(connection), connection.Need.Triple, null));
        }

        states[0].Asked.AddRange(Clients(run, last));
        states[0].Asked.AddRange(Anybody(run, last));
        return [.. states.Select(state => (state.Us, state.Asked))];

        (long, HashSet<string>, List<Asked>) Moment(long us) => (us, [.. run.Fleet.Pods.Where(pod => pod.FromUs <= us && us < pod.ToUs).Select(pod => pod.Entity.Uid)], []);
    }

    /// <summary>Every client, and the scanner, with every listening port that it does not need, one pod each.</summary>
    private static IEnumerable<Asked> Clients(SimRun run, long us) =>
        from untrue in Scorer.Untrue(run.Topology).Concat(Scorer.Scans(run.Topology))
        let src = run.Fleet.Running(untrue.Client.Id, us).FirstOrDefault()
        let dst = run.Fleet.Running(untrue.Server.Id, us).LastOrDefault()
        where src is not null && dst is not null
        select new Asked(SimParties.Meet(src.Entity, src.Address, dst.Entity, dst.Address, untrue.Protocol, untrue.Port), null, untrue.ToString());

    /// <summary>Anybody with anybody, at listening ports and any others.</summary>
    private static IEnumerable<Asked> Anybody(SimRun run, long us)
    {
        var random = new Random(run.Plan.Seed);
        List<(Entity Entity, NetAddress Address)> ends =
        [
            .. run.Fleet.Pods.Where(pod => pod.FromUs <= us && us < pod.ToUs).Select(pod => (pod.Entity, pod.Address)),
            .. run.Training.Where(one => one.Src.Kind == EntityKind.Unknown).Select(one => (one.Src, one.SrcAddress)).DistinctBy(one => one.SrcAddress),
            .. run.Training.Where(one => one.Dst.Kind == EntityKind.External).Select(one => (one.Dst, one.DstAddress)).DistinctBy(one => one.DstAddress),
        ];
        var ports = run.Topology.Edges.Select(need => (need.Protocol, need.Port)).Distinct().ToList();
        var needed = run.Topology.Edges.Select(need => need.Triple).ToHashSet();
        for (var i = 0; i < RandomStrangers; i++)
        {
            var (src, dst) = (ends[random.Next(ends.Count)], ends[random.Next(ends.Count)]);
            var (protocol, port) = i % 2 == 0 ? ports[random.Next(ports.Count)] : (random.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Udp, (ushort)random.Next(1, 65536));
            if (src.Address != dst.Address && !needed.Contains(new SimTriple(SimTraffic.IdOf(src.Entity), SimTraffic.IdOf(dst.Entity), protocol, port)))
            {
                yield return new Asked(SimParties.Meet(src.Entity, src.Address, dst.Entity, dst.Address, protocol, port), null, null);
            }
        }
    }

    /// <summary>What a policy can select, with the labels of that moment.</summary>
    private static List<TestPod> PodsAt(SimFleet fleet, long us)
    {
        var nodes = fleet.NodeEntities.ToDictionary(node => node.Entity.Name, node => IPAddress.Parse(node.Address.ToString()));
        return [.. fleet.Pods.Where(pod => pod.FromUs <= us && us < pod.ToUs && pod.Workload is { IsPod: true, HostNetwork: false })
            .Select(pod => new TestPod(pod.Entity.Namespace, pod.Entity.Name, IPAddress.Parse(pod.Address.ToString()), pod.Entity.Labels, []) { Node = nodes[pod.Entity.Node] })];
    }

    private static IPAddress AddressOf(Party party) => IPAddress.Parse(party.Address!.Value.First.ToString());
}
