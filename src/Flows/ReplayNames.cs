using Flows.Capture.Names;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows;

/// <summary>Names that capture files tell: an observer for each node, whose bindings travel in reports as its collector would send them.</summary>
internal sealed class ReplayNames(Keeper keeper, string scope, TimeProvider time)
{
    // As many as a collector's report holds at most.
    private const int NamesPerReport = 8192;

    private readonly Dictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    private readonly Guid process = Guid.NewGuid();
    private readonly long sinceUs = time.NowUs();

    /// <summary>The books of each node's observer, named after the node.</summary>
    public IReadOnlyList<HopReport> Reports =>
        [.. lanes.Select(one => one.Value.Observer.Account.Report() with { Hop = $"{one.Key}/{one.Value.Observer.Account.Hop}" })];

    public NameObserver ObserverOf(string node)
    {
        if (!lanes.TryGetValue(node, out var lane))
        {
            lane = new Lane(facts => Report(node, facts), new LocalIntake(keeper.Intake, node, scope));
            lanes.Add(node, lane);
        }

        return lane.Observer;
    }

    /// <summary>Hands over what is left.</summary>
    public void Complete()
    {
        foreach (var lane in lanes.Values)
        {
            lane.Send();
        }
    }

    private AccountReport Report(string node, IReadOnlyList<NameFact> names) =>
        new(node, process, sinceUs, time.NowUs(), []) { Facts = new NodeFacts([], [], names) };

    private sealed class Lane
    {
        private readonly Func<IReadOnlyList<NameFact>, AccountReport> report;
        private readonly LocalIntake intake;
        private readonly List<NameFact> waiting = [];

        public Lane(Func<IReadOnlyList<NameFact>, AccountReport> report, LocalIntake intake)
        {
            (this.report, this.intake) = (report, intake);
            Observer = new NameObserver(Take);
        }

        public NameObserver Observer { get; }

        /// <summary>The reading thread waits for the log: a file can.</summary>
        public void Send()
        {
            if (waiting.Count > 0)
            {
                intake.TakeAsync(report([.. waiting])).GetAwaiter().GetResult();
                waiting.Clear();
            }
        }

        private void Take(NameFact fact)
        {
            waiting.Add(fact);
            if (waiting.Count == NamesPerReport)
            {
                Send();
            }
        }
    }
}
