using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Identity;
using Flows.Core.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>What a suggestion is worth that missed a day, or a workload: everything else must hold as if it had been there.</summary>
internal static class LeaveOneOut
{
    /// <summary>Each day of the training in turn is left out and judged by what the others gave.</summary>
    public static LeftOut Days(SimRun run)
    {
        var left = new LeftOut();
        for (var day = 0; day < run.Plan.TrainDays; day++)
        {
            var (begin, end) = (SimFleet.StartUs + (day * SimFleet.DayUs), SimFleet.StartUs + ((day + 1) * SimFleet.DayUs));
            bool IsLeft(SimConnection connection) => connection.AtUs >= begin && connection.AtUs < end;
            var traffic = new SimTraffic(run.Topology, run.Fleet);
            traffic.Observe(run.Training.Where(connection => !IsLeft(connection)));
            traffic.ObserveNoise();
            var engine = EngineOf(SimRun.InputOf(run.Fleet, traffic.Edges(), run.Level)).Engine;
            left += Judge(engine, run.Training.Where(one => IsLeft(one) && !one.Need.Src.Retires && !one.Need.Dst.Retires), traffic.Seen);
        }

        return left;
    }

    /// <summary>Each workload in turn is never seen, though the ledger knows its pods: what others need still passes, and nothing of theirs opens or picks its pods.</summary>
    public static LeftOut Workloads(SimRun run)
    {
        var left = new LeftOut();
        foreach (var workload in run.Topology.Workloads.Where(workload => workload is { IsPod: true, HostNetwork: false }))
        {
            bool Is(Entity end) => end.Kind == EntityKind.Pod && SimTraffic.IdOf(end) == workload.Id;
            var (set, engine) = EngineOf(run.Input with { Edges = [.. run.Input.Edges.Where(edge => !Is(edge.Src) && !Is(edge.Dst))] });
            left += Judge(engine, run.Test.Where(one => one.Need.Src != workload && one.Need.Dst != workload), run.Seen);
            var picking = set.Policies.Where(policy => policy.Namespace == workload.Namespace && !policy.Pods.IsEverything && run.Fleet.Of(workload.Id).Exists(pod => policy.Pods.Matches(pod.Entity.Labels)));

            // A server that lost its only client stays open, and is listed as open; what counts is what a rule lets in.
            var opened = Scorer.Untrue(run.Topology).Where(untrue => untrue.Client != workload && untrue.Server != workload && SimParties.After(run.Fleet, untrue.Client).Any(src =>
                SimParties.After(run.Fleet, untrue.Server).Any(dst => engine.Evaluate(SimParties.Meet(src.Entity, src.Address, dst.Entity, dst.Address, untrue.Protocol, untrue.Port))
                    is { Allowed: true, Ingress.By.Count: > 0 })));
            left += new LeftOut { Opened = [.. picking.Select(policy => $"{policy.Id} picks {workload}"), .. opened.Select(untrue => $"without {workload}: {untrue}")] };
        }

        return left;
    }

    private static (PolicySet Set, PolicyEvaluator Engine) EngineOf(PolicyInput input)
    {
        var set = PolicySuggester.Suggest(input).Set;
        return (set, new PolicyEvaluator(set));
    }

    private static LeftOut Judge(PolicyEvaluator engine, IEnumerable<SimConnection> connections, HashSet<SimTriple> seen)
    {
        var judged = connections.Where(one => one.Src.Id != one.Dst.Id).GroupBy(one => one.Need.Triple)
            .Select(edge => (edge.Key, Denied: edge.Any(one => !engine.Evaluate(SimParties.Meet(one)).Allowed))).ToList();
        return new LeftOut
        {
            Edges = judged.Count,
            Floor = judged.Count(edge => !seen.Contains(edge.Key)),
            DeniedSeen = [.. judged.Where(edge => edge.Denied && seen.Contains(edge.Key)).Select(edge => edge.Key.ToString())],
        };
    }
}

/// <summary>The sum over all that were left out.</summary>
internal sealed record LeftOut
{
    /// <summary>Needed edges that were judged.</summary>
    public int Edges { get; init; }

    /// <summary>Of these: seen by nobody elsewhere.</summary>
    public int Floor { get; init; }

    /// <summary>Denied although seen elsewhere.</summary>
    public IReadOnlyList<string> DeniedSeen { get; init; } = [];

    /// <summary>What a rule lets in, or a policy picks, only because something was left out.</summary>
    public IReadOnlyList<string> Opened { get; init; } = [];

    public static LeftOut operator +(LeftOut one, LeftOut other) =>
        new() { Edges = one.Edges + other.Edges, Floor = one.Floor + other.Floor, DeniedSeen = [.. one.DeniedSeen, .. other.DeniedSeen], Opened = [.. one.Opened, .. other.Opened] };
}
