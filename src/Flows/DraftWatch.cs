using System.Diagnostics;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows;

/// <summary>
/// Writes down what drafts of policies would do to what comes in: edges of the store ─> judge ─> table <c>decisions</c>. An hour is judged again as long
/// as its edges change, so that late facts and names are in it. Nothing waits for it; it takes a tenth of the time at most.
/// </summary>
internal sealed class DraftWatch(IReadOnlyList<DraftPolicies> drafts, FlowStore store, string directory, TimeProvider time)
{
    private const long Hour = 60 * UnixTime.Minute;

    // What a node tells late belongs to hours before; what lay longer is not what somebody watches for.
    private const long BackUs = Hour;
    private const int PauseTimes = 9;

    // A draft that changes after a month is judged over all of it: so many decisions are held at once.
    private const int DecisionsMost = 200_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly long sinceUs = (time.NowUs() - BackUs) / Hour * Hour;
    private readonly List<Watched> watched = [.. drafts.Select(draft => new Watched(draft, []))];
    private readonly HashSet<string> said = [];
    private long sequence = -1;

    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var draft in drafts)
        {
            Console.Error.WriteLine(VisibleText.Of(
                $"watching the draft {draft.Name}{ForWhom(draft)}: {draft.Set.Policies.Count} policies; ask for it with: SELECT * FROM decisions WHERE draft = '{draft.Name}'"));
        }

        var pause = Every;
        while (!cancellation.IsCancellationRequested)
        {
            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var began = Stopwatch.StartNew();
            Try("the drafts were", JudgeAll);
            pause = TimeSpan.FromTicks(Math.Max(Every.Ticks, began.Elapsed.Ticks * PauseTimes));
        }
    }

    private static string ForWhom(DraftPolicies draft) => draft.Cluster is { } cluster ? $" for '{cluster}'" : "";

    private void JudgeAll()
    {
        foreach (var (draft, judged) in watched.Where(one => one.Draft.Refresh()).Select(one => (one.Draft, one.Judged)))
        {
            judged.Clear();
            sequence = -1;
            Console.Error.WriteLine(VisibleText.Of($"watching another draft, {draft.Name}{ForWhom(draft)}: {draft.Set.Policies.Count} policies"));
        }

        if (store.Health.Sequence == sequence)
        {
            return;
        }

        // A change while we read is judged at the next turn.
        sequence = store.Health.Sequence;
        using var reader = StoreReader.Open(directory);
        var hours = reader.EdgeHours(sinceUs);
        var stale = watched.Where(one => one.StaleOf(hours).Any()).ToList();
        if (stale.Count == 0)
        {
            return;
        }

        var ledger = reader.Identities();
        var history = LabelHistory.Of(ledger);
        var objects = reader.ClusterObjects(time.NowUs(), StoredObjects.NamespaceKind);
        foreach (var one in stale)
        {
            Try($"the draft {one.Draft.Name}{ForWhom(one.Draft)} was", () => Judge(one, hours, reader, ledger, history, objects));
        }
    }

    private void Judge(
        Watched one, IReadOnlyDictionary<long, string> hours, StoreReader reader, IReadOnlyList<IdentityInterval> ledger, LabelHistory history, IReadOnlyList<ClusterObject> objects)
    {
        List<DraftDecision> decisions = [];
        List<long> done = [];
        foreach (var hour in one.StaleOf(hours).Order().ToList())
        {
            var input = PolicyInput.Of(ClusterEdges.Of(reader.Edges(hour, hour + Hour, history), one.Draft.Cluster), ledger, hour, hour + Hour, one.Draft.Cluster);
            decisions.AddRange(DraftDecision.Of(hour, input, one.Draft.Set, new JudgeOptions { NamespaceLabels = StoredObjects.NamespaceLabels(objects, input.Cluster) }));
            done.Add(hour);
            if (decisions.Count > DecisionsMost)
            {
                Put();
            }
        }

        Put();

        void Put()
        {
            if (done.Count > 0)
            {
                store.PutDecisions(one.Draft.Name, one.Draft.Cluster, done, decisions);
                done.ForEach(hour => one.Judged[hour] = hours[hour]);
                done.Clear();
                decisions.Clear();
            }
        }
    }

    /// <summary>A fault of one draft stops no other, and is said once.</summary>
    private void Try(string what, Action action)
    {
        try
        {
            action();
        }
        catch (FlowsException fault)
        {
            if (said.Add(fault.Message))
            {
                Console.Error.WriteLine(VisibleText.Of($"flows: warning: {what} not judged: {fault.Message}"));
            }
        }
    }

    /// <summary>A draft, and what the edges of each hour were when it was judged by it.</summary>
    private sealed record Watched(DraftPolicies Draft, Dictionary<long, string> Judged)
    {
        /// <summary>Hours whose edges are others by now.</summary>
        public IEnumerable<long> StaleOf(IReadOnlyDictionary<long, string> hours) => hours.Where(hour => Judged.GetValueOrDefault(hour.Key) != hour.Value).Select(hour => hour.Key);
    }
}
