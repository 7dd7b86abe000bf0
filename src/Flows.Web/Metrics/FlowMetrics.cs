using System.Diagnostics.Metrics;
using System.Globalization;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Web.Metrics;

/// <summary>
/// Owns every instrument. The hops keep their own books; the instruments only read them when scraped, so no count is kept twice.
/// Cardinality is bounded: hops, units and reasons are small fixed sets of the code.
/// </summary>
internal sealed class FlowMetrics : IDisposable
{
    public const string MeterName = "Flows";
    public const string IngestDurationName = "flows.ingest.duration";

    private const string HopTag = "hop";
    private const string UnitTag = "unit";
    private const string ReasonTag = "reason";
    private const string StatusTag = "status";
    private const string SourceTag = "source";
    private const string AspectTag = "aspect";

    /// <summary>Aspects may be interfaces, and a node has some hundreds of these at most.</summary>
    private const int CoverageMax = 512;

    /// <summary>From an append without waiting (1 ms) to a collector's patience (30 s), in seconds.</summary>
    public static double[] IngestDurationBounds { get; } = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

    /// <summary>The names under which a scrape of /metrics shows the instruments; dashboards may use these and no others.</summary>
    public static IReadOnlyList<string> PrometheusNames { get; } =
    [
        "flows_hop_seen_total", "flows_hop_forwarded_total", "flows_hop_dropped_total", "flows_hop_in_flight",
        "flows_coverage", "flows_store_sequence", "flows_store_rows", "flows_store_files", "flows_store_size_bytes",
        "flows_ingest_duration_seconds_bucket", "flows_ingest_duration_seconds_sum", "flows_ingest_duration_seconds_count",
    ];

    private readonly Meter meter = new(MeterName);
    private readonly Histogram<double> ingestDuration;

    public FlowMetrics(WebParts parts)
    {
        meter.CreateObservableCounter("flows.hop.seen", () => Hops(parts, hop => hop.Seen), description: "What came into a hop.");
        meter.CreateObservableCounter("flows.hop.forwarded", () => Hops(parts, hop => hop.Forwarded), description: "What a hop passed on.");
        meter.CreateObservableCounter("flows.hop.dropped", () => parts.Hops().SelectMany(Drops), description: "What a hop lost for good, by reason.");
        meter.CreateObservableGauge("flows.hop.in_flight", () => Hops(parts, hop => hop.InFlight), description: "What waits inside a hop.");
        meter.CreateObservableGauge("flows.coverage", () => parts.Coverage().Take(CoverageMax).Select(Coverage), description: "What a source of this process sees: 1 all, 0.5 some, 0 nothing.");
        meter.CreateObservableGauge("flows.store.sequence", () => parts.Store().Sequence, description: "Number of the store's manifest.");
        meter.CreateObservableGauge("flows.store.rows", () => parts.Store().Rows, description: "Sealed flow rows.");
        meter.CreateObservableGauge("flows.store.files", () => parts.Store().Files, description: "Live files of the store.");
        meter.CreateObservableGauge("flows.store.size", () => parts.Store().Bytes, "By", "Bytes of the store's live files.");
        ingestDuration = meter.CreateHistogram<double>(IngestDurationName, "s", "From the first byte of a batch's headers to the answer.");
    }

    public void Ingested(TimeSpan duration, int status) =>
        ingestDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>(StatusTag, status.ToString(CultureInfo.InvariantCulture)));

    public void Dispose() => meter.Dispose();

    private static Measurement<double> Coverage(CoverageFact fact) => new(
        fact.Level switch { CoverageLevel.Full => 1, CoverageLevel.Partial => 0.5, _ => 0 }, new(SourceTag, fact.Source), new(AspectTag, fact.Aspect));

    private static IEnumerable<Measurement<long>> Hops(WebParts parts, Func<HopReport, long> count) =>
        parts.Hops().Select(hop => new Measurement<long>(count(hop), new(HopTag, hop.Hop), new(UnitTag, hop.Unit)));

    private static IEnumerable<Measurement<long>> Drops(HopReport hop) =>
        hop.Dropped.Select(drop => new Measurement<long>(drop.Value, new(HopTag, hop.Hop), new(UnitTag, hop.Unit), new(ReasonTag, drop.Key)));
}
