using Flows.Store;
using Flows.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Flows.Web.Api;

/// <summary><c>GET query/{name}</c>: one of the named questions, as an array of objects (what a dashboard's JSON source reads).</summary>
internal sealed class QueryEndpoint(WebParts parts)
{
    private const int LimitUsual = 1_000;
    private const int LimitMost = 10_000;

    public Task AnswerAsync(HttpContext context)
    {
        var name = (string)context.GetRouteValue("name")!;
        if (NamedQuery.Of(name) is null)
        {
            return Problem.WriteAsync(context, StatusCodes.Status404NotFound,
                $"There is no question of that name; there are {string.Join(", ", NamedQuery.All.Select(query => query.Name))}.");
        }

        var question = new Question(context.Request.Query, parts.Time);
        var (since, until) = question.Span();
        var limit = question.Limit(LimitUsual, LimitMost);
        var result = parts.Query(name, since, until, limit);
        return WebJson.WriteAsync(context, new QueryAnswer(result.Columns, [.. result.Rows.Take(limit).Select(row => Named(result.Columns, row))]), WebJson.Default.QueryAnswer);
    }

    private static Dictionary<string, object?> Named(IReadOnlyList<string> columns, IReadOnlyList<object?> row) =>
        columns.Zip(row).ToDictionary(cell => cell.First, cell => cell.Second is DateTime time ? UnixTime.Text(UnixTime.ToUs(time)) : cell.Second);
}

/// <summary>The answer to a named question: each row by the names of its columns.</summary>
internal sealed record QueryAnswer(IReadOnlyList<string> Columns, IReadOnlyList<Dictionary<string, object?>> Rows);
