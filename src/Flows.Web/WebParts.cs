using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;
using Microsoft.AspNetCore.Http;

namespace Flows.Web;

/// <summary>
/// What the server is made of besides HTTP. The web knows its neighbours only by these delegates; each may be called from
/// several requests at once and throws <see cref="Flows.Core.FlowsException"/> for a question that cannot be answered.
/// </summary>
public sealed record WebParts
{
    /// <summary>The product's version, as health shows it.</summary>
    public required string Version { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Where the store stands. It is asked often and must be cheap.</summary>
    public required Func<StoreHealth> Store { get; init; }

    /// <summary>The books of every hop in this process, and of the collectors as far as they reported.</summary>
    public required Func<IReadOnlyList<HopReport>> Hops { get; init; }

    /// <summary>What the sources of this process see now; nothing where it has none.</summary>
    public Func<IReadOnlyList<CoverageFact>> Coverage { get; init; } = () => [];

    /// <summary>Edges over [since, until) in µs.</summary>
    public required Func<long, long, IReadOnlyList<Edge>> Edges { get; init; }

    public required QueryRunner Query { get; init; }

    /// <summary>Who held an address at a time (µs): several claims mean that it was ambiguous, none that nobody knows.</summary>
    public required Func<NetAddress, long, IReadOnlyList<WhoClaim>> Who { get; init; }

    /// <summary>Suggests policies. An answer of the last minutes may come again, unless asked for a fresh one.</summary>
    public required Func<PolicyQuestion, bool, SuggestedPolicies> Policies { get; init; }

    /// <summary>Takes batches from collectors; null where this server only shows a store.</summary>
    public IngestHandler? Ingest { get; init; }
}

/// <summary>Answers one of the fixed, named questions.</summary>
/// <param name="name">One of <see cref="NamedQuery"/>'s names.</param>
/// <param name="sinceUs">Begin of the span in µs.</param>
/// <param name="untilUs">Its end, exclusive.</param>
/// <param name="limit">Rows wanted at most.</param>
public delegate QueryResult QueryRunner(string name, long sinceUs, long untilUs, int limit);

/// <summary>One claim on an address.</summary>
/// <param name="Entity">Who held it.</param>
/// <param name="Range">The address or range that was claimed, in CIDR text.</param>
/// <param name="FromUs">Since when.</param>
/// <param name="ToUs">Until when, exclusive; null while it lasts.</param>
public sealed record WhoClaim(Entity Entity, string Range, long FromUs, long? ToUs);

/// <summary>Takes one request of the ingest route.</summary>
/// <param name="headers">The request's headers.</param>
/// <param name="body">The request's body; the handler bounds what it reads.</param>
/// <param name="stopped">The client has gone, or the server stops.</param>
public delegate Task<IngestAnswer> IngestHandler(IHeaderDictionary headers, Stream body, CancellationToken stopped);

/// <summary>What ingest says to a collector.</summary>
/// <param name="Status">200, 400, 413, 422, 429 or 503.</param>
/// <param name="Problem">One sentence, where the status is not 200.</param>
/// <param name="RetryAfter">When to come back, for 429 and 503.</param>
public sealed record IngestAnswer(int Status, string? Problem = null, TimeSpan? RetryAfter = null);
