using System.Globalization;

namespace Flows.Core;

/// <summary>Times as the product keeps them: microseconds since the Unix epoch, UTC.</summary>
public static class UnixTime
{
    public const long Second = 1_000_000;
    public const long Minute = 60 * Second;

    public static long NowUs(this TimeProvider time) => ToUs(time.GetUtcNow());

    public static long ToUs(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / 10;

    public static DateTimeOffset FromUs(long us) => DateTimeOffset.UnixEpoch.AddTicks(us * 10);

    /// <summary>RFC 3339 with microseconds, such as <c>2026-01-31T10:00:00.000001Z</c>.</summary>
    public static string Text(long us)
    {
        // The round trip format is many times faster than one made of parts; it has ticks, a tenth of a microsecond.
        Span<char> text = stackalloc char["yyyy-MM-ddTHH:mm:ss.fffffffZ".Length];
        _ = FromUs(us).UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
        text[^2] = 'Z';
        return new string(text[..^1]);
    }

    /// <summary>
    /// Reads <c>now</c>, an age such as <c>90s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c> (so long before <paramref name="nowUs"/>), or an
    /// ISO 8601 date and time; without an offset it is UTC.
    /// </summary>
    /// <exception cref="FlowsException">The text is none of these.</exception>
    public static long Parse(string text, long nowUs)
    {
        if (text == "now")
        {
            return nowUs;
        }

        if (text.Length > 1 && long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && text[^1] switch { 's' => Second, 'm' => Minute, 'h' => 60 * Minute, 'd' => 24 * 60 * Minute, _ => 0 } is var unit and > 0
            && count <= nowUs / unit)
        {
            return nowUs - (count * unit);
        }

        // The formats are listed so that "10" or "5/6" is an error, not a surprise.
        string[] formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss.FFFFFFFK"];
        return DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? ToUs(time)
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is not a time; write 2026-01-31T10:00:00Z, an age such as 15m or 2h, or now.");
    }
}
