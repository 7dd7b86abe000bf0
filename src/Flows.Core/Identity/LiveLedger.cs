using System.Collections.Concurrent;
using System.Collections.Frozen;
using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// The ledger of a running server: what is said about each place, and only the places that a change touches are compiled anew. One writer at a
/// time; readers never wait, and see each place as it was before or after a change. It may forget what ended long ago
/// (<see cref="Forget"/>): what was before that is the store's to tell.
/// </summary>
public sealed class LiveLedger
{
    private readonly ConcurrentDictionary<Place, PlaceHistory> places;
    private FrozenDictionary<string, byte[]> prefixes = FrozenDictionary<string, byte[]>.Empty;
    private EntityPool pool = new();

    /// <param name="forgottenBeforeUs">A place of which nothing is kept may have been claimed from before this moment on.</param>
    public LiveLedger(long forgottenBeforeUs = long.MinValue)
    {
        places = new(concurrencyLevel: 1, capacity: 1024);
        ForgottenBeforeUs = forgottenBeforeUs;
    }

    /// <summary>Everything that is not kept began before this moment, µs since the epoch; <see cref="long.MinValue"/> where all is kept.</summary>
    public long ForgottenBeforeUs { get; private set; }

    /// <summary>Statements that are kept.</summary>
    public int Count => places.Values.Sum(history => history.Said.Length);

    /// <summary>Who held the address at the time: the longest prefix that says something about that very moment.</summary>
    /// <remarks>A moment before the late window may have been forgotten: the answer is then that nobody is known.</remarks>
    public Resolution At(string scope, NetAddress address, long timeUs)
    {
        foreach (var prefix in Volatile.Read(ref prefixes).GetValueOrDefault(scope) ?? [])
        {
            if (places.TryGetValue(new(scope, AddressRange.Of(address, prefix)), out var history))
            {
                foreach (var span in history.Spans())
                {
                    if (span.FromUs <= timeUs && timeUs < span.ToUs)
                    {
                        return Resolution.Of(span);
                    }
                }
            }
        }

        return Resolution.Unknown;
    }

    /// <summary>The spans of all places, for questions in bulk. Costs about 2 µs a place.</summary>
    public SpanIndex Index() => SpanIndex.Of(places.Values.SelectMany(history => history.Spans()));

    /// <summary>The spans of the scope's ranges; nothing about ranges is ever forgotten.</summary>
    public IEnumerable<NameSpan> RangesOf(string scope) => places
        .Where(place => place.Key.Range.PrefixLength < 128 && place.Key.Scope == scope)
        .SelectMany(place => place.Value.Spans());

    /// <summary>Each interval as it stands, without the withdrawn ones.</summary>
    public IEnumerable<IdentityInterval> Standing() => places.Values.SelectMany(history => history.Standing());

    /// <summary>
    /// The places that must be known whole (<see cref="Restore"/>) before these statements can be judged: a statement is older than what holds,
    /// or changes what was before the kept past. Rare, except when an inventory is read for the first time.
    /// </summary>
    public IReadOnlySet<Place> Unsure(IEnumerable<IdentityInterval> statements) => statements
        .Where(said => places.TryGetValue(Place.Of(said), out var history)
            ? history.NeedsAll(said)
            : said.PrefixLength == 128 && said.ValidFromUs < ForgottenBeforeUs)
        .Select(Place.Of).ToHashSet();

    /// <summary>Puts all that was ever said about a place, which may be nothing, in the place of what is kept.</summary>
    public void Restore(Place place, IEnumerable<IdentityInterval> everything) =>
        Put(place, new([.. everything.Select(Shared)], long.MinValue));

    /// <summary>Adds what the statements say that is new; a statement whose content already holds is none. The writer asks <see cref="Unsure"/> before.</summary>
    public LedgerChange Add(IEnumerable<IdentityInterval> statements)
    {
        var news = new List<IdentityInterval>();
        var changes = new List<PlaceChange>();
        foreach (var about in statements.GroupBy(Place.Of))
        {
            // A place of which nothing is kept may have a past that is forgotten.
            var before = places.GetValueOrDefault(about.Key) ?? new([], about.Key.Range.PrefixLength == 128 ? ForgottenBeforeUs : long.MinValue);
            var after = before;
            foreach (var statement in about.Order(Statements.Order))
            {
                if (after.IsNews(statement))
                {
                    var shared = Shared(statement, after);
                    after = after.With(shared);
                    news.Add(shared);
                }
            }

            if (!ReferenceEquals(before, after))
            {
                after = after.Pruned();
                Put(about.Key, after);
                changes.Add(new(about.Key, before.Spans(), after.Spans()));
            }
        }

        return new(news, changes);
    }

    /// <summary>Forgets intervals of single addresses that ended by then, as far as that cuts no span in two.</summary>
    public void Forget(long horizonUs)
    {
        // What is gone leaves its texts behind in the pool, so the living make a new one.
        pool = new(pool);
        ForgottenBeforeUs = Math.Max(ForgottenBeforeUs, horizonUs);
        foreach (var (place, history) in places)
        {
            var kept = place.Range.PrefixLength < 128 ? history : history.Since(horizonUs);
            if (kept is null)
            {
                places.TryRemove(place, out _);
            }
            else
            {
                var shared = Array.ConvertAll(kept.Said, Shared);
                if (!ReferenceEquals(kept, history) || !shared.AsSpan().SequenceEqual(kept.Said, ReferenceEqualityComparer.Instance))
                {
                    places[place] = kept with { Said = shared };
                }
            }
        }
    }

    private void Put(Place place, PlaceHistory history)
    {
        places[place with { Scope = pool.Share(place.Scope) }] = history;
        var known = prefixes.GetValueOrDefault(place.Scope) ?? [];
        if (!known.Contains(place.Range.PrefixLength))
        {
            var more = prefixes.ToDictionary();
            more[place.Scope] = [.. known.Append(place.Range.PrefixLength).OrderDescending()];
            Volatile.Write(ref prefixes, more.ToFrozenDictionary());
        }
    }

    /// <summary>An entity of which nothing changed is the same object in all its statements.</summary>
    private IdentityInterval Shared(IdentityInterval statement, PlaceHistory beside)
    {
        var same = Array.Find(beside.Said, said => Statements.SameEntity(said.Entity, statement.Entity));
        return same is null ? Shared(statement) : statement with { Entity = same.Entity, Origin = pool.Share(statement.Origin) };
    }

    private IdentityInterval Shared(IdentityInterval statement)
    {
        var (entity, origin) = (pool.Share(statement.Entity), pool.Share(statement.Origin));
        return ReferenceEquals(entity, statement.Entity) && ReferenceEquals(origin, statement.Origin) ? statement : statement with { Entity = entity, Origin = origin };
    }
}
