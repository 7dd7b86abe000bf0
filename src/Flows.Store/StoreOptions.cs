namespace Flows.Store;

/// <summary>What the writer of a store may use, and how patient it is.</summary>
public sealed record StoreOptions
{
    /// <summary>Memory that DuckDB may take, in MiB; it spills to the store's <c>tmp/</c> beyond. A seal of 1 M rows needs about 300.</summary>
    public int MemoryMaxMib { get; init; } = 512;

    /// <summary>Threads of DuckDB; two leave a small server room for the intake. On one core a second would only turn in wait for the first.</summary>
    public int Threads { get; init; } = Math.Min(2, Environment.ProcessorCount);

    /// <summary>How far two nodes' clocks may be apart and still be seen to report one connection.</summary>
    public TimeSpan SkewMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the ledger keeps in memory what has ended; statements about what ended before cost a look into files.</summary>
    public TimeSpan LateWindow { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Changed rows of the timeline, and of the entities, that are written with every change before they are folded into the rest. At 5,000 changes a
    /// minute a change writes 8,000 rows on average (20 ms), and some 200,000 living rows are written every three minutes (0.3 s).
    /// </summary>
    public int RecentRowsMax { get; init; } = 16_384;

    /// <summary>How long a superseded file stays, so that readers that began before the swap can end.</summary>
    public TimeSpan SupersededGrace { get; init; } = TimeSpan.FromMinutes(5);
}
