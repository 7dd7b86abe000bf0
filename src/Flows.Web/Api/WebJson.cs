using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Flows.Core;
using Flows.Core.Map;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>
/// How the API writes JSON: snake_case, nulls kept; names of strangers with HTML's own characters escaped. The writers are made at build time:
/// a native executable can make none when it runs.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters =
    [
        typeof(SnakeCaseName<ResolvedBy>), typeof(SnakeCaseName<ReadinessState>), typeof(SnakeCaseName<ReviewReason>), typeof(SnakeCaseName<RulePurpose>),
        typeof(SnakeCaseName<StepAdvice>), typeof(SnakeCaseName<StepState>),
    ])]
[JsonSerializable(typeof(EdgesAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(MapAnswer))]
[JsonSerializable(typeof(PlanAnswer))]
[JsonSerializable(typeof(PoliciesAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(QueryAnswer))]
[JsonSerializable(typeof(ReviewAnswer))]
[JsonSerializable(typeof(WhoAnswer))]
// What a cell of a query's answer may be.
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(byte))]
[JsonSerializable(typeof(ushort))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(uint))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(ulong))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(List<string>))]
internal sealed partial class WebJson : JsonSerializerContext
{
    public static async Task WriteAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> shape)
    {
        context.Response.ContentType = "application/json";
        var body = JsonSerializer.SerializeToUtf8Bytes(answer, shape);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
