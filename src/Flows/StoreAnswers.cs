using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Store;
using Flows.Verbs;
using Flows.Web;

namespace Flows;

/// <summary>The questions of pages and boards, asked of the store as it is now. Thread safe: one question at a time.</summary>
internal sealed class StoreAnswers(string directory, FlowStore store) : IDisposable
{
    private readonly SharedReader<Snapshot> shared = new(() => new Snapshot(StoreReader.Open(directory)), () => store.Health.Sequence);

    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs) => shared.Ask(snapshot => snapshot.Reader.Edges(sinceUs, untilUs));

    public QueryResult Query(string name, long sinceUs, long untilUs, int limit) =>
        NamedQuery.Of(name) is { } query
            ? shared.Ask(snapshot => snapshot.Reader.Run(query, sinceUs, untilUs, limit))
            : throw new FlowsException(ExitCode.Usage, $"There is no question '{name}'.");

    public IReadOnlyList<WhoClaim> Who(NetAddress address, long timeUs) => shared.Ask(snapshot => (IReadOnlyList<WhoClaim>)
    [
        .. snapshot.Ledger.Spans
            .Where(span => span.FromUs <= timeUs && timeUs < span.ToUs && new AddressRange(span.Address, span.PrefixLength).Contains(address))
            .GroupBy(span => span.Scope)
            .SelectMany(scope => Claims(scope.MaxBy(span => span.PrefixLength)!)),
    ]);

    public SuggestedPolicies Policies(string level, long sinceUs, long untilUs)
    {
        var input = shared.Ask(snapshot => PolicyInput.Of(snapshot.Reader.Edges(sinceUs, untilUs), snapshot.Ledger.Said, sinceUs, untilUs, cluster: null)) with
        {
            Level = level == "namespace" ? SegmentLevel.Namespace : SegmentLevel.Workload,
        };
        return PolicyPage.Of(PolicySuggester.Suggest(input), input.Level);
    }

    public void Dispose() => shared.Dispose();

    private static IEnumerable<WhoClaim> Claims(NameSpan span) => span.Candidates.Select(entity => new WhoClaim(
        entity, new AddressRange(span.Address, span.PrefixLength).ToString(), span.FromUs, span.ToUs == long.MaxValue ? null : span.ToUs));

    /// <summary>A reader with what is costly to make from it.</summary>
    private sealed class Snapshot(StoreReader reader) : IDisposable
    {
        private Ledger? ledger;

        public StoreReader Reader => reader;

        public Ledger Ledger => ledger ??= Ledger.Empty.Add(reader.Identities());

        public void Dispose() => reader.Dispose();
    }
}
