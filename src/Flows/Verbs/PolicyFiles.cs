using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>What a suggestion wrote into its directory.</summary>
internal sealed record SuggestionIndex(IReadOnlyList<string> Files);

/// <summary>A suggestion as files in a directory, and policies from files. The same suggestion gives the same bytes.</summary>
internal static class PolicyFiles
{
    public const string EvidenceFile = "evidence.json";
    private const string ReadinessFile = "readiness.json";
    private const string ReviewFile = "review.json";

    // Names what this verb wrote, so that it can replace its own files and never touches anybody else's.
    private const string IndexFile = "flows-suggestion.json";

    private const int BufferBytes = 1 << 16;
    private const int EvidenceEdgesMost = 200;

    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    /// <summary>A namespace has no dots, so two policies never share a file.</summary>
    public static string NameOf(SegmentPolicy policy) => policy.Namespace.Length == 0 ? $"{policy.Name}.yaml" : $"{policy.Namespace}.{policy.Name}.yaml";

    /// <summary>The policies as NetworkPolicies; one that closes nothing yet is none.</summary>
    public static IReadOnlyList<RenderedFile> NetworkPolicies(PolicySet suggested) =>
    [
        .. suggested.Policies.Where(policy => policy.Ingress is not null || policy.Egress is not null).AsParallel().AsOrdered()
            .Select(policy => new RenderedFile(NameOf(policy), KubernetesWriter.Write(policy, $"{EvidenceFile}#{policy.Id}"), policy.Id)),
    ];

    /// <summary>A suggestion as a directory: its policies, why their rules are there, how far segments are known, what is left for review, and an index of it all.</summary>
    public static IReadOnlyList<SuggestedFile> Of(IReadOnlyList<RenderedFile> policies, Suggestion suggestion)
    {
        List<SuggestedFile> files =
        [
            new(EvidenceFile, to => WriteEvidence(to, suggestion.Set)),
            new(ReadinessFile, to => WriteJson(to, [.. suggestion.Readiness.Select(ReadinessEntry.Of)], Json.Indented.Readiness)),
            new(ReviewFile, to => WriteJson(to, [.. suggestion.Review.Select(ReviewEntry.Of)], Json.Indented.Review)),
            .. policies.Select(policy => SuggestedFile.Of(policy.Name, policy.Text)),
        ];
        files.Add(SuggestedFile.Of(IndexFile, IndexOf(files.Select(file => file.Name).Append(IndexFile))));
        return files;
    }

    /// <summary>The names of the files in a directory that an earlier suggestion wrote; none where there is no directory yet.</summary>
    /// <exception cref="FlowsException">The directory holds something that this verb did not write.</exception>
    public static IReadOnlySet<string> Own(DirectoryInfo directory)
    {
        var own = Index(directory.FullName);
        var foreign = !directory.Exists ? null : directory.EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal)
            .FirstOrDefault(name => !own.Contains(name) && !own.Any(file => file.StartsWith($"{name}/", StringComparison.Ordinal)));
        return foreign is null
            ? own
            : throw new FlowsException(ExitCode.Usage, $"{directory.FullName} holds {foreign}, which is not from a suggestion; choose a new or empty directory with --out.");
    }

    /// <summary>Writes the files, and removes those of an earlier suggestion that are no longer in it.</summary>
    /// <exception cref="FlowsException">The directory holds something that this verb did not write.</exception>
    public static async Task WriteAsync(DirectoryInfo directory, IReadOnlyList<SuggestedFile> files)
    {
        directory.Create();
        var own = Own(directory);

        // The index goes first and names old and new, so that a run that is cut short can be repeated.
        var names = files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, IndexFile), IndexOf(own.Union(names))).ConfigureAwait(false);
        foreach (var stale in own.Where(name => !names.Contains(name)))
        {
            var path = Path.Combine(directory.FullName, stale);
            if (Directory.Exists(Path.GetDirectoryName(path)))
            {
                File.Delete(path);
            }
        }

        foreach (var folder in names.Select(name => Path.GetDirectoryName(Path.Combine(directory.FullName, name))!).Distinct(StringComparer.Ordinal))
        {
            Directory.CreateDirectory(folder);
        }

        // The evidence comes first and takes as long as all the policies.
        await Parallel.ForEachAsync(files, (file, _) =>
        {
            var path = Path.Combine(directory.FullName, file.Name);
            if (file.Name == EvidenceFile || !IsThere(path, file))
            {
                // A file that is cut to nothing is flushed when it is closed (ext4's auto_da_alloc), which new ones need not be.
                var mode = file.Name == IndexFile || own.Contains(file.Name) ? FileMode.Create : FileMode.CreateNew;
                using var stream = new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
                file.WriteTo(stream);
            }

            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// True where the file has this content already; not for the evidence, which does not fit in memory. More of the same traffic changes no policy, and whoever watches the
    /// directory sees only what changed.
    /// </summary>
    private static bool IsThere(string path, SuggestedFile file)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var content = new MemoryStream();
        file.WriteTo(content);
        return content.Length == new FileInfo(path).Length && content.GetBuffer().AsSpan(0, (int)content.Length).SequenceEqual(File.ReadAllBytes(path));
    }

    /// <summary>The documents of a file, or of every YAML and JSON file under a directory; what a suggestion keeps beside its policies is passed over.</summary>
    /// <exception cref="FlowsException">There is nothing there.</exception>
    public static IReadOnlyList<PolicyDocument> Read(string path)
    {
        if (File.Exists(path))
        {
            return [new PolicyDocument(path, File.ReadAllText(path))];
        }

        if (!Directory.Exists(path))
        {
            throw new FlowsException(ExitCode.Usage, $"There is no file or directory {path}; give the policies with --policies.");
        }

        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) && !IsCompanion(file))
            .Order(StringComparer.Ordinal)
            .ToList();
        return files.Count > 0 || File.Exists(Path.Combine(path, IndexFile))
            ? [.. files.Select(file => new PolicyDocument(file, File.ReadAllText(file)))]
            : throw new FlowsException(ExitCode.Usage, $"{path} holds no .yaml, .yml or .json file.");
    }

    private static bool IsOurs(string name) => name.Split('/') is var parts && parts.Length <= 2 && parts.All(part => part.Length > 0 && part is not ("." or "..") && part == Path.GetFileName(part));

    private static string IndexOf(IEnumerable<string> names) =>
        JsonSerializer.Serialize(new SuggestionIndex([.. names.Order(StringComparer.Ordinal)]), Json.Indented.SuggestionIndex) + "\n";

    private static void WriteJson<T>(Stream stream, T value, JsonTypeInfo<T> shape)
    {
        JsonSerializer.Serialize(stream, value, shape);
        stream.WriteByte((byte)'\n');
    }

    /// <summary>A rule a line: of a large fleet neither the objects nor their text would fit in memory, and most of an indented one would be blanks.</summary>
    private static void WriteEvidence(Stream to, PolicySet set)
    {
        var stream = new BufferedStream(to, BufferBytes);
        stream.WriteByte((byte)'{');
        var betweenPolicies = "\n"u8;
        foreach (var policy in set.Policies)
        {
            stream.Write(betweenPolicies);
            stream.Write("  "u8);
            JsonSerializer.Serialize(stream, policy.Id, Json.Compact.String);
            stream.Write(": {\"file\": "u8);
            JsonSerializer.Serialize(stream, NameOf(policy), Json.Compact.String);
            stream.Write(", \"pods\": "u8);
            JsonSerializer.Serialize(stream, policy.Pods.Text, Json.Compact.String);
            stream.Write(", \"rules\": ["u8);
            var betweenRules = "\n    "u8;
            foreach (var (direction, index, rule) in policy.AllRules())
            {
                stream.Write(betweenRules);
                JsonSerializer.Serialize(stream, RuleReasons.Of(direction, index, rule, EvidenceEdgesMost), Json.Compact.RuleReasons);
                betweenRules = ",\n    "u8;
            }

            stream.Write("]}"u8);
            betweenPolicies = ",\n"u8;
        }

        stream.Write("\n}\n"u8);
        stream.Flush();
    }

    private static bool IsCompanion(string file) => Path.GetFileName(file) is EvidenceFile or ReadinessFile or ReviewFile or IndexFile
        && Index(Path.GetDirectoryName(file)!).Contains(Path.GetFileName(file));

    /// <summary>The names that the directory's index claims; ours have one folder above them at most, and never lead out.</summary>
    private static HashSet<string> Index(string directory)
    {
        var path = Path.Combine(directory, IndexFile);
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            using var index = JsonDocument.Parse(File.ReadAllText(path));
            return [.. index.RootElement.GetProperty("files").EnumerateArray().Select(name => name.GetString()!).Where(IsOurs), IndexFile];
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FlowsException(ExitCode.Usage, $"{path} is not the index of a suggestion; choose a new or empty directory.", fault);
        }
    }
}
