using System.Globalization;
using Flows.Core;

namespace Flows.Store;

/// <summary>The names within a store's directory.</summary>
internal static class StoreLayout
{
    public const string Manifest = "manifest.json";
    public const string Views = "views.sql";
    public const string Lock = "lock";
    public const string Log = "log";
    public const string Temporary = "tmp";

    /// <summary>The last second of 9999: everything before 1970 or after it is not a time that a store can hold.</summary>
    public const long TimeMaxUs = 253_402_300_799_000_000;

    // One second beyond, so that a span that ends here, exclusively, holds the last time of all.
    private const long TimeEndUs = TimeMaxUs + UnixTime.Second;

    /// <summary>Tables that are kept as files, by the name of their folder.</summary>
    public static readonly IReadOnlyList<string> Tables = [Flows, Edges, Losses, Identities, TimelineTable, Entities, Coverage, Owners, Names, ServicePorts, Backends, ClusterObjects, Decisions];

    public const string Flows = "flows";
    public const string Edges = "edges_1m";
    public const string Losses = "losses";
    public const string Identities = "identities";
    public const string TimelineTable = "timeline";
    public const string Entities = "entities";
    public const string Coverage = "coverage";
    public const string Owners = "owners";
    public const string Names = "names";
    public const string ServicePorts = "service_ports";
    public const string Backends = "backends";
    public const string ClusterObjects = "cluster_objects";
    public const string Decisions = "decisions_1h";

    /// <summary>The tier of files that sealing writes; merging makes <c>merge1</c>, <c>merge2</c>, ... of them.</summary>
    public const string SealTier = "seal";
    public const string MergeTier = "merge";

    /// <summary>Path of a dated file, relative to the store: tier, first and last minute, and the sequence that wrote it.</summary>
    public static string Dated(string table, string tier, long minUs, long maxUs, long sequence) => string.Create(
        CultureInfo.InvariantCulture,
        $"{table}/date={UnixTime.FromUs(minUs):yyyy-MM-dd}/{tier}-{UnixTime.FromUs(minUs):yyyyMMdd'T'HHmm}-{UnixTime.FromUs(maxUs):yyyyMMdd'T'HHmm}-{sequence:D10}.parquet");

    /// <summary>Path of a file of a table that is not cut by time.</summary>
    public static string Plain(string table, string tier, long sequence) => string.Create(CultureInfo.InvariantCulture, $"{table}/{tier}-{sequence:D10}.parquet");

    /// <summary>The tier of a file, from its name.</summary>
    public static string TierOf(StoreFile file) => Path.GetFileName(file.Path).Split('-')[0];

    public static long ClampUs(long us) => Math.Clamp(us, 0, TimeEndUs);
}
