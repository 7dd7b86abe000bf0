using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;
using Flows.Web;

namespace Flows;

/// <summary>The questions of pages and boards, asked of the store as it is now. Thread safe: one question at a time.</summary>
internal sealed class StoreAnswers(string directory, FlowStore store, TimeProvider time) : IDisposable
{
    private readonly PolicyAnswers policies = new(directory, time);
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

    /// <summary>Policies wait for other policies only.</summary>
    public SuggestedPolicies Policies(PolicyQuestion question, bool fresh) => policies.Ask(question, fresh);

    public void Dispose()
    {
        policies.Dispose();
        shared.Dispose();
    }

    private static IEnumerable<WhoClaim> Claims(NameSpan span) => span.Candidates.Select(entity => new WhoClaim(
        entity, new AddressRange(span.Address, span.PrefixLength).ToString(), span.FromUs, span.ToUs == long.MaxValue ? null : span.ToUs));
}
