using System.Globalization;
using Flows.Core;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>What a request asks for, read from its query string.</summary>
internal sealed class Question(IQueryCollection query, TimeProvider time)
{
    /// <summary>The span [since, until) in µs; open where not given.</summary>
    /// <exception cref="FlowsException">A text is no time, or the span is empty.</exception>
    public (long SinceUs, long UntilUs) Span()
    {
        var now = time.NowUs();
        var (since, until) = (Text("since"), Text("until"));
        var from = since is null ? 0 : Time("since", since, now);
        var to = until is null ? long.MaxValue : Time("until", until, now);
        return from < to ? (from, to) : throw new FlowsException(ExitCode.Usage, $"since={since} is not before until={until}.");
    }

    /// <summary>A moment in µs, now unless given.</summary>
    public long At() => Text("at") is { } at ? Time("at", at, time.NowUs()) : time.NowUs();

    /// <summary>Rows wanted: <paramref name="usual"/> unless given, never more than <paramref name="most"/>.</summary>
    public int Limit(int usual, int most)
    {
        if (Text("limit") is not { } text)
        {
            return usual;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit > 0
            ? Math.Min(limit, most)
            : throw new FlowsException(ExitCode.Usage, $"limit={text} is not a positive number.");
    }

    /// <summary>Rows to pass over before the first that is wanted; none unless given.</summary>
    public int Offset() => Text("offset") is not { } text ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset
        : throw new FlowsException(ExitCode.Usage, $"offset={text} is not a number of rows.");

    /// <summary>One of a few words; the first unless given.</summary>
    public string OneOf(string name, params ReadOnlySpan<string> words)
    {
        var text = Text(name);
        return text is null ? words[0]
            : words.Contains(text) ? text
            : throw new FlowsException(ExitCode.Usage, $"{name}={text} is not known; it is one of {string.Join(", ", words.ToArray())}.");
    }

    public string? Text(string name) => query[name] is [{ Length: > 0 } text] ? text : null;

    private static long Time(string name, string text, long nowUs)
    {
        try
        {
            return UnixTime.Parse(text, nowUs);
        }
        catch (FlowsException fault)
        {
            throw new FlowsException(ExitCode.Usage, $"{name}: {fault.Message}", fault);
        }
    }
}
