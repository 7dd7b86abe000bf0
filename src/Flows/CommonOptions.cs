using System.CommandLine;
using Flows.Core;

namespace Flows;

/// <summary>The options that mean the same in every verb. A new instance per verb: System.CommandLine binds them to their command.</summary>
internal static class CommonOptions
{
    /// <summary>The store's directory.</summary>
    public static Option<DirectoryInfo> Store(bool required = true) => new("--store")
    {
        Description = "Directory of the store.",
        HelpName = "DIR",
        Required = required,
    };

    /// <summary>How data is printed.</summary>
    public static Option<string> Output(params string[] formats)
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "How to print.",
            HelpName = string.Join('|', formats),
            DefaultValueFactory = _ => formats[0],
        };
        option.AcceptOnlyFromAmong(formats);
        return option;
    }

    public static Option<FileInfo[]> Inventory() => new("--inventory")
    {
        Description = "Who holds which address: JSON Lines, CSV (.csv) or YAML (.yaml). A server reads it again when it changes. May be repeated.",
        HelpName = "FILE",
    };

    /// <summary>Whether DNS answers are read where packets are.</summary>
    public static Option<bool> NoNames() => new("--no-names")
    {
        Description = "Do not learn names from the DNS answers (port 53) among the packets. It is the only payload that is looked at.",
    };

    public static Option<string[]> Listen() => new("--listen")
    {
        Description = "Where to listen: ADDRESS:PORT or unix:/path. May be repeated.",
        HelpName = "ADDRESS:PORT",
        DefaultValueFactory = _ => ["127.0.0.1:4739"],
    };

    public static IReadOnlyList<string> Paths(FileInfo[]? files) => [.. (files ?? []).Select(file => file.FullName)];

    public static Option<string> Since() => new("--since")
    {
        Description = "Begin of the span: a time such as 2026-01-31T10:00:00Z, or an age such as 2h. All there is unless given.",
        HelpName = "TIME",
    };

    public static Option<string> Until() => new("--until")
    {
        Description = "End of the span, exclusive. Now unless given.",
        HelpName = "TIME",
    };

    /// <summary>The span [since, until) in microseconds; open where not given.</summary>
    /// <exception cref="FlowsException">A text is no time, or the span is empty.</exception>
    public static (long SinceUs, long UntilUs) Span(string? since, string? until, TimeProvider time)
    {
        var now = time.NowUs();
        var from = since is null ? 0 : UnixTime.Parse(since, now);
        var to = until is null ? long.MaxValue : UnixTime.Parse(until, now);
        return from < to
            ? (from, to)
            : throw new FlowsException(ExitCode.Usage, $"--since {since} is not before --until {until}.");
    }
}
