using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Flows.Core;

namespace Flows.Store;

/// <summary>One immutable file: where it is, relative to the store, and what it holds. Times are those of the table's first time column.</summary>
internal sealed record StoreFile(string Path, long Rows, long MinUs, long MaxUs, long Bytes);

/// <summary>A file that the current state no longer names, kept for readers of an earlier one.</summary>
internal sealed record SupersededFile(string Path, long SinceUs);

/// <summary>
/// The state of a store: every file that counts, and how far the intake's log is sealed. A new state replaces the old one by one
/// rename, so a reader sees either; nothing else says which files belong to the store.
/// </summary>
internal sealed record Manifest
{
    public const int KnownVersion = 1;

    public required int Version { get; init; }

    /// <summary>Counts states; part of every file's name, so that no name is used twice.</summary>
    public required long Sequence { get; init; }

    /// <summary>Position of the last sealed record of the intake's log; null before the first.</summary>
    public ulong? IntakePosition { get; init; }

    public required IReadOnlyDictionary<string, IReadOnlyList<StoreFile>> Tables { get; init; }

    /// <summary>Names of the nodes, by node_id in decimal.</summary>
    public required IReadOnlyDictionary<string, string> Nodes { get; init; }

    /// <summary>Names of the address scopes, by scope_id in decimal.</summary>
    public required IReadOnlyDictionary<string, string> Scopes { get; init; }

    /// <summary>Empty also where a manifest does not have it; what was made at build time to read one gives null then.</summary>
    public IReadOnlyList<SupersededFile> Superseded { get; init => field = value ?? []; } = [];

    /// <summary>Files of flows that are not in the edges yet, by path: more records follow at once, or a crash came between. Mostly null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Unrolled { get; init; }

    public static Manifest Empty { get; } = new()
    {
        Version = KnownVersion,
        Sequence = 0,
        Tables = StoreLayout.Tables.ToDictionary(table => table, _ => (IReadOnlyList<StoreFile>)[]),
        Nodes = new Dictionary<string, string>(),
        Scopes = new Dictionary<string, string>(),
    };

    public IReadOnlyList<StoreFile> FilesOf(string table) => Tables.TryGetValue(table, out var files) ? files : [];

    /// <summary>Files of the table that hold times within [from, to).</summary>
    public IEnumerable<StoreFile> FilesOf(string table, long fromUs, long toUs) => FilesOf(table).Where(file => file.MinUs < toUs && file.MaxUs >= fromUs);

    public Manifest With(string table, IEnumerable<StoreFile> files) => this with
    {
        Tables = new Dictionary<string, IReadOnlyList<StoreFile>>(Tables.ToDictionary()) { [table] = [.. files.OrderBy(file => file.MinUs).ThenBy(file => file.Path, StringComparer.Ordinal)] },
    };

    /// <summary>Reads the state of a store.</summary>
    /// <exception cref="FlowsException">There is none, or it is damaged.</exception>
    public static Manifest Read(string directory)
    {
        var path = Path.Combine(directory, StoreLayout.Manifest);
        if (!File.Exists(path))
        {
            throw new FlowsException(ExitCode.Usage, $"{directory} is not a store: it has no {StoreLayout.Manifest}; name a directory that flows serve, up or replay has written.");
        }

        try
        {
            var manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJson.Default.Manifest) ?? throw new JsonException("it is empty");
            return manifest.Version == KnownVersion
                ? manifest
                : throw new FlowsException(ExitCode.Failed, $"{path} has version {manifest.Version}, and this program knows version {KnownVersion}; use the program that wrote the store.");
        }
        catch (JsonException damage)
        {
            throw new FlowsException(ExitCode.Failed, $"{path} is damaged ({damage.Message}); put back a copy of it, or rebuild the store from its log.", damage);
        }
    }

    /// <summary>Replaces the state on disk, durably. The files that it names are durable before.</summary>
    public void Write(string directory) => Durable.Replace(Path.Combine(directory, StoreLayout.Manifest), JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.Manifest));

    public static string Key(ulong id) => id.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How a manifest is written: on many lines, for whoever looks; a member that nobody knows is damage.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
