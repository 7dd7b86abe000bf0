using System.CommandLine;
using System.CommandLine.Parsing;
using Flows.Core;

namespace Flows;

/// <summary><c>--draft-policies [CLUSTER=]PATH</c>: policies to watch before they are enforced.</summary>
/// <param name="Cluster">The cluster whose pods they govern; null where the store knows pods of one at most.</param>
/// <param name="Path">A file or directory of policies.</param>
internal sealed record DraftOptions(string? Cluster, string Path)
{
    public static Option<DraftOptions[]> Create() => new("--draft-policies")
    {
        Description = """
            Policies that are not enforced yet: what they would do to what comes in is written to the table decisions. A file or directory, read again when
            it changes; before it the cluster that it is for, where the store knows pods of several. May be repeated.
            """,
        HelpName = "[CLUSTER=]PATH",
        CustomParser = Parse,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Reads one. What stands before the first equals sign is a cluster; a path with one in it is written with a slash before: <c>./a=b.yaml</c>.</summary>
    /// <exception cref="FlowsException">A part is missing.</exception>
    internal static DraftOptions Read(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var (cluster, path) = equals >= 0 && !text[..equals].Contains('/') ? (text[..equals], text[(equals + 1)..]) : (null, text);
        return path.Length > 0 && cluster is not ""
            ? new DraftOptions(cluster, path)
            : throw new FlowsException(ExitCode.Usage, $"--draft-policies '{text}' names no {(path.Length == 0 ? "file or directory" : "cluster")}; write PATH, or CLUSTER=PATH.");
    }

    private static DraftOptions[] Parse(ArgumentResult result)
    {
        try
        {
            DraftOptions[] drafts = [.. result.Tokens.Select(token => Read(token.Value))];
            var twice = drafts.GroupBy(draft => draft.Cluster).FirstOrDefault(same => same.Count() > 1);
            return twice is null ? drafts : throw new FlowsException(
                ExitCode.Usage,
                $"--draft-policies is given {twice.Count()} times for {(twice.Key is { } cluster ? $"'{cluster}'" : "one cluster")}; give one directory of policies for each cluster.");
        }
        catch (FlowsException fault)
        {
            result.AddError(fault.Message);
            return [];
        }
    }
}
