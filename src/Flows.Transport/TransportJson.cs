using System.Text.Json;
using System.Text.Json.Serialization;
using Flows.Core.Accounting;

namespace Flows.Transport;

/// <summary>Who a spool belongs to, as kept in <c>collector.json</c>.</summary>
internal sealed record CollectorFile(Guid Collector, ulong Epoch);

/// <summary>The JSON that travels and that is kept beside the logs.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    IgnoreReadOnlyProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AccountReport))]
[JsonSerializable(typeof(CollectorFile))]
internal sealed partial class TransportJson : JsonSerializerContext
{
    /// <summary>The media type of an account report.</summary>
    public const string MediaType = "application/json";

    public static byte[] Write(AccountReport report) => JsonSerializer.SerializeToUtf8Bytes(report, Default.AccountReport);
}
