using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using Flows.Core.Facts;

namespace Flows.Core.Accounting;

/// <summary>
/// The books of one hop: what came in, what went on, what was dropped and why. Thread safe.
/// The conservation law, seen = forwarded + dropped + in flight, is a claim about independent counts: what is in flight is
/// measured where it waits, never computed from the others.
/// </summary>
/// <param name="hop">Stable name such as <c>conntrack</c>, <c>flow_table</c>, <c>spool</c>.</param>
/// <param name="unit">What is counted: <c>packets</c>, <c>events</c>, <c>rows</c>, <c>batches</c>.</param>
/// <param name="inFlight">Measures what waits inside the hop now; absent for a hop that holds nothing.</param>
public sealed class HopAccount(string hop, string unit, Func<long>? inFlight = null)
{
    private readonly ConcurrentDictionary<string, long> dropped = new(StringComparer.Ordinal);
    private long seen;
    private long forwarded;

    public string Hop => hop;

    public string Unit => unit;

    public void Seen(long count = 1) => Interlocked.Add(ref seen, count);

    public void Forwarded(long count = 1) => Interlocked.Add(ref forwarded, count);

    /// <summary>Counts what is lost here for good. Reasons are a small, fixed set per hop, in snake_case.</summary>
    public void Dropped(string reason, long count = 1)
    {
        if (count != 0)
        {
            dropped.AddOrUpdate(reason, static (_, added) => added, static (_, old, added) => old + added, count);
        }
    }

    /// <summary>The counts now. Exact when the hop is at rest; otherwise the counters may be a moment apart.</summary>
    public HopReport Report() => new(
        hop,
        unit,
        Interlocked.Read(ref seen),
        Interlocked.Read(ref forwarded),
        new SortedDictionary<string, long>(dropped.ToDictionary(), StringComparer.Ordinal),
        inFlight?.Invoke() ?? 0);
}

/// <summary>One equation of the conservation law, in the hop's own unit.</summary>
public sealed record HopReport(string Hop, string Unit, long Seen, long Forwarded, IReadOnlyDictionary<string, long> Dropped, long InFlight)
{
    [JsonIgnore]
    public long DroppedTotal => Dropped.Values.Sum();

    /// <summary>True when nothing is unaccounted for.</summary>
    [JsonIgnore]
    public bool Holds => Seen == Forwarded + DroppedTotal + InFlight;
}

/// <summary>What a collector (or the server) says of its hops, counted since its start at <paramref name="SinceUs"/>.</summary>
public sealed record AccountReport(string Node, Guid Process, long SinceUs, long AtUs, IReadOnlyList<HopReport> Hops)
{
    /// <summary>What the collector learned beside its flows since its last report; null from one that has nothing to tell.</summary>
    public NodeFacts? Facts { get; init; }
}
