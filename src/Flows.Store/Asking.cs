using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Store;

/// <summary>SQL for how long an answer of the DNS counts for the connections of the client that asked.</summary>
internal static class Asking
{
    /// <summary>How much sooner than its answer a connection may seem to begin.</summary>
    public static readonly string Slack = string.Create(CultureInfo.InvariantCulture, $"to_seconds({NameFact.SlackSeconds})");

    /// <summary>How long an answer of this TTL counts.</summary>
    /// <param name="ttl">SQL of the TTL in seconds.</param>
    public static string Grace(string ttl) => string.Create(CultureInfo.InvariantCulture, $"to_seconds({ttl}::BIGINT + {NameFact.GraceSeconds})");
}
