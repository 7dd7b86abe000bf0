using Flows.Core;
using Flows.Core.Facts;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET who?addr&amp;at</c>: who held an address at a time.</summary>
internal sealed class WhoEndpoint(WebParts parts)
{
    private const int LimitMost = 100;

    public Task AnswerAsync(HttpContext context)
    {
        var question = new Question(context.Request.Query, parts.Time);
        var address = NetAddress.Parse(question.Text("addr") ?? throw new FlowsException(ExitCode.Usage, "addr is missing: who?addr=10.0.0.1&at=2026-01-31T10:00:00Z."));
        var at = question.At();
        var claims = parts.Who(address, at);
        return WebJson.WriteAsync(
            context, new WhoAnswer(address.ToString(), UnixTime.Text(at), claims.Count > 1, [.. claims.Take(LimitMost).Select(ClaimAnswer.Of)]), WebJson.Default.WhoAnswer);
    }
}

/// <summary>Who held an address at a time; nobody is known where there is no claim.</summary>
internal sealed record WhoAnswer(string Address, string At, bool Ambiguous, IReadOnlyList<ClaimAnswer> Claims);

/// <summary>One claim on it.</summary>
/// <param name="ValidTo">Null while it lasts.</param>
internal sealed record ClaimAnswer(EntityAnswer Entity, string Range, string ValidFrom, string? ValidTo)
{
    public static ClaimAnswer Of(WhoClaim claim) =>
        new(EntityAnswer.Of(claim.Entity), claim.Range, UnixTime.Text(claim.FromUs), claim.ToUs is { } to ? UnixTime.Text(to) : null);
}
