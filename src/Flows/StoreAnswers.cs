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
    private readonly SharedReader<StoreReader> shared = new(() => StoreReader.Open(directory), () => store.Health.Sequence);

    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs) => shared.Ask(snapshot => snapshot.Edges(sinceUs, untilUs));

    public QueryResult Query(string name, long sinceUs, long untilUs, int limit) =>
        NamedQuery.Of(name) is { } query
            ? shared.Ask(snapshot => snapshot.Run(query, sinceUs, untilUs, limit))
            : throw new FlowsException(ExitCode.Usage, $"There is no question '{name}'.");

    public IReadOnlyList<WhoClaim> Who(NetAddress address, long timeUs) => shared.Ask(snapshot =>
    {
        var ledger = Ledger.Empty.Add(snapshot.IdentitiesAbout(address));
        return (IReadOnlyList<WhoClaim>)
        [
            .. ledger.Said.Select(said => said.Entity.Scope).Distinct().Order(StringComparer.Ordinal)
                .Select(scope => ledger.At(scope, address, timeUs).Span).OfType<NameSpan>().SelectMany(Claims),
        ];
    });

    public SuggestedPolicies Policies(string level, long sinceUs, long untilUs)
    {
        var input = shared.Ask(snapshot => Observation.Read(snapshot, sinceUs, untilUs, cluster: null)) with
        {
            Level = level == "namespace" ? SegmentLevel.Namespace : SegmentLevel.Workload,
        };
        return PolicyPage.Of(PolicySuggester.Suggest(input), input.Level);
    }

    public void Dispose() => shared.Dispose();

    private static IEnumerable<WhoClaim> Claims(NameSpan span) => span.Candidates.Select(entity => new WhoClaim(
        entity, new AddressRange(span.Address, span.PrefixLength).ToString(), span.FromUs, span.ToUs == long.MaxValue ? null : span.ToUs));
}
