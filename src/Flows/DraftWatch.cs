using System.Diagnostics;
using Flows.Core;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows;

/// <summary>
/// Writes down what a draft of policies would do to what comes in: edges of the store ─> judge ─> table <c>decisions</c>. An hour is judged again as long
/// as its edges change, so that late facts and names are in it. Nothing waits for it; it takes a tenth of the time at most.
/// </summary>
internal sealed class DraftWatch(DraftPolicies draft, FlowStore store, string directory, TimeProvider time)
{
    private const long Hour = 60 * UnixTime.Minute;

    // What a node tells late belongs to hours before; what lay longer is not what somebody watches for.
    private const long BackUs = Hour;
    private const int PauseTimes = 9;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly long sinceUs = (time.NowUs() - BackUs) / Hour * Hour;
    private readonly Dictionary<long, string> judged = [];
    private long sequence = -1;

    public async Task RunAsync(CancellationToken cancellation)
    {
        Console.Error.WriteLine($"watching the draft {draft.Name}: {draft.Set.Policies.Count} policies; ask for it with: SELECT * FROM decisions WHERE draft = '{draft.Name}'");
        var pause = Every;
        while (!cancellation.IsCancellationRequested)
        {
            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var began = Stopwatch.StartNew();
            try
            {
                Judge();
            }
            catch (FlowsException fault)
            {
                Console.Error.WriteLine(VisibleText.Of($"flows: warning: the draft was not judged: {fault.Message}"));
            }

            pause = TimeSpan.FromTicks(Math.Max(Every.Ticks, began.Elapsed.Ticks * PauseTimes));
        }
    }

    private void Judge()
    {
        if (draft.Refresh())
        {
            judged.Clear();
            sequence = -1;
            Console.Error.WriteLine($"watching another draft, {draft.Name}: {draft.Set.Policies.Count} policies");
        }

        if (store.Health.Sequence == sequence)
        {
            return;
        }

        using var reader = StoreReader.Open(directory);
        var now = store.Health.Sequence;
        var changed = reader.EdgeHours(sinceUs).Where(hour => judged.GetValueOrDefault(hour.Key) != hour.Value).OrderBy(hour => hour.Key).ToList();
        if (changed.Count == 0)
        {
            sequence = now;
            return;
        }

        var ledger = reader.Identities();
        var history = LabelHistory.Of(ledger);
        var objects = reader.ClusterObjects(time.NowUs(), StoredObjects.NamespaceKind);
        List<DraftDecision> decisions = [];
        foreach (var (hour, _) in changed)
        {
            var input = PolicyInput.Of(reader.Edges(hour, hour + Hour, history), ledger, hour, hour + Hour, cluster: null);
            decisions.AddRange(DraftDecision.Of(hour, input, draft.Set, new JudgeOptions { NamespaceLabels = StoredObjects.NamespaceLabels(objects, input.Cluster) }));
        }

        store.PutDecisions(draft.Name, [.. changed.Select(hour => hour.Key)], decisions);
        changed.ForEach(hour => judged[hour.Key] = hour.Value);
    }
}
