using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>One file of a suggestion.</summary>
internal sealed record PolicyFile(string Name, string Text, bool IsPolicy);

/// <summary>A suggestion as files in a directory, and policies from files. The same suggestion gives the same bytes.</summary>
internal static class PolicyFiles
{
    private const string EvidenceFile = "evidence.json";
    private const string ReviewFile = "review.json";

    // Names what this verb wrote, so that it can replace its own files and never touches anybody else's.
    private const string IndexFile = "flows-suggestion.json";

    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    /// <summary>A namespace has no dots, so two policies never share a file.</summary>
    public static string NameOf(SegmentPolicy policy) => $"{policy.Namespace}.{policy.Name}.yaml";

    /// <summary>The policies, their evidence, what is left for review, and the index.</summary>
    public static IReadOnlyList<PolicyFile> Render(Suggestion suggestion)
    {
        List<PolicyFile> files = [.. suggestion.Set.Policies.Select(policy =>
            new PolicyFile(NameOf(policy), KubernetesWriter.Write(policy, $"{EvidenceFile}#{policy.Id}"), IsPolicy: true))];
        files.Add(new PolicyFile(EvidenceFile, ToJson(suggestion.Set.Policies.ToDictionary(policy => policy.Id, Evidence)), IsPolicy: false));
        files.Add(new PolicyFile(ReviewFile, ToJson(suggestion.Review.Select(Review)), IsPolicy: false));
        files.Add(new PolicyFile(IndexFile, ToJson(new { Files = files.Select(file => file.Name).Append(IndexFile).Order(StringComparer.Ordinal) }), IsPolicy: false));
        return files;
    }

    /// <summary>Writes the files, and removes those of an earlier suggestion that are no longer in it.</summary>
    /// <exception cref="FlowsException">The directory holds something that this verb did not write.</exception>
    public static void Write(DirectoryInfo directory, IReadOnlyList<PolicyFile> files)
    {
        directory.Create();
        var own = Index(directory.FullName);
        var foreign = directory.EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal).FirstOrDefault(name => !own.Contains(name));
        if (foreign is not null)
        {
            throw new FlowsException(ExitCode.Usage, $"{directory.FullName} holds {foreign}, which is not from a suggestion; choose a new or empty directory with --out.");
        }

        // The index goes first and names old and new, so that a run that is cut short can be repeated.
        var names = files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        File.WriteAllText(Path.Combine(directory.FullName, IndexFile), ToJson(new { Files = own.Union(names).Order(StringComparer.Ordinal) }));
        foreach (var stale in own.Where(name => !names.Contains(name)))
        {
            File.Delete(Path.Combine(directory.FullName, stale));
        }

        foreach (var file in files)
        {
            File.WriteAllText(Path.Combine(directory.FullName, file.Name), file.Text);
        }
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

    /// <summary>An entity as a person names it: pods with their namespace.</summary>
    public static string Called(Entity entity) => entity.Namespace.Length > 0 ? $"{entity.Namespace}/{entity.Name}" : entity.Name;

    /// <summary>An edge as evidence.</summary>
    public static object Evidence(Edge edge) => new
    {
        Src = Called(edge.Src),
        SrcKind = Entity.TextOf(edge.Src.Kind),
        SrcWorkload = edge.Src.Workload,
        SrcResolvedBy = Resolved(edge.SrcResolvedBy),
        Dst = Called(edge.Dst),
        DstKind = Entity.TextOf(edge.Dst.Kind),
        DstWorkload = edge.Dst.Workload,
        DstResolvedBy = Resolved(edge.DstResolvedBy),
        Service = edge.Service is { } service ? Called(service) : null,
        edge.ServicePort,
        Protocol = IpProtocol.NameOf(edge.Protocol),
        edge.DstPort,
        edge.Connections,
        edge.Answered,
        FirstSeen = UnixTime.Text(edge.FirstSeenUs),
        LastSeen = UnixTime.Text(edge.LastSeenUs),
        edge.Nodes,
    };

    private static object Evidence(SegmentPolicy policy) => new
    {
        File = NameOf(policy),
        Pods = policy.Pods.Text,
        Rules = policy.AllRules().Select(rule => new
        {
            Direction = JsonNamingPolicy.SnakeCaseLower.ConvertName(rule.Direction.ToString()),
            rule.Index,
            Peers = rule.Rule.Peers.Select(peer => peer.ToString()),
            Ports = rule.Rule.Ports.Select(port => port.ToString()),
            rule.Rule.Purpose,
            rule.Rule.Widened,
            FirstSeen = UnixTime.Text(rule.Rule.Evidence!.FirstSeenUs),
            LastSeen = UnixTime.Text(rule.Rule.Evidence.LastSeenUs),
            rule.Rule.Evidence.Connections,
            rule.Rule.Evidence.DistinctSources,
            rule.Rule.Evidence.DistinctDestinations,
            rule.Rule.Evidence.Nodes,
            rule.Rule.Evidence.ResolvedBy,
            Edges = rule.Rule.Evidence.Edges.Select(Evidence),
        }),
    };

    private static object Review(ReviewItem item) => new
    {
        item.Reason,
        item.Src,
        item.Dst,
        item.Protocol,
        item.Port,
        item.Connections,
        FirstSeen = item.FirstSeenUs is { } first ? UnixTime.Text(first) : null,
        LastSeen = item.LastSeenUs is { } last ? UnixTime.Text(last) : null,
        item.Nodes,
        item.Detail,
    };

    private static string Resolved(ResolvedBy resolved) => JsonNamingPolicy.SnakeCaseLower.ConvertName(resolved.ToString());

    private static string ToJson<T>(T value) => JsonSerializer.Serialize(value, Json.Indented) + "\n";

    private static bool IsCompanion(string file) => Path.GetFileName(file) is EvidenceFile or ReviewFile or IndexFile
        && Index(Path.GetDirectoryName(file)!).Contains(Path.GetFileName(file));

    /// <summary>The names that the directory's index claims; a name with a path in it is never one of ours.</summary>
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
            return [.. index.RootElement.GetProperty("files").EnumerateArray().Select(name => name.GetString()!).Where(name => name == Path.GetFileName(name)), IndexFile];
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FlowsException(ExitCode.Usage, $"{path} is not the index of a suggestion; choose a new or empty directory.", fault);
        }
    }
}
