using System.Text.Json;
using Flows.Core.Accounting;

namespace Flows.Transport.Intake;

/// <summary>Reads an account report from a stranger: JSON of our form, of bounded size, with names that are safe to show.</summary>
internal static class AccountCheck
{
    private const int HopsMax = 64;
    private const int ReasonsMax = 64;
    private const int WordCharactersMax = 64;

    /// <summary>The report; or null and what is wrong with it.</summary>
    public static AccountReport? Read(ReadOnlySpan<byte> json, string node, out string problem)
    {
        problem = "";
        AccountReport? report = null;
        try
        {
            report = JsonSerializer.Deserialize(json, TransportJson.Default.AccountReport);
        }
        catch (JsonException fault)
        {
            problem = $"the body is not an account report: {fault.Message}";
            return null;
        }

        if (report is null || report.Hops.Count > HopsMax || !report.Hops.All(IsHop))
        {
            problem = $"the account report has more than {HopsMax} hops, or one with a bad name or a negative count";
        }
        else if (report.Node != node)
        {
            problem = BatchValidator.NodeMismatch;
        }
        else if (report.Facts is { } facts)
        {
            problem = FactsCheck.Problem(facts) ?? "";
        }

        return problem.Length > 0 ? null : report;
    }

    private static bool IsHop(HopReport? hop) =>
        hop is not null && IsWord(hop.Hop) && IsWord(hop.Unit) && hop.Seen >= 0 && hop.Forwarded >= 0 && hop.InFlight >= 0
        && hop.Dropped.Count <= ReasonsMax && hop.Dropped.All(drop => IsWord(drop.Key) && drop.Value >= 0);

    /// <summary>Lower-case ASCII letters, digits and underscores, 1 to 64 of them.</summary>
    internal static bool IsWord(string? word) =>
        word?.Length is > 0 and <= WordCharactersMax && word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');
}
