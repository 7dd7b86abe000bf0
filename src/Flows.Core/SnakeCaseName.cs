using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flows.Core;

/// <summary>An enum in JSON, by name: <c>AsOf</c> is <c>as_of</c>.</summary>
public sealed class SnakeCaseName<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower)
    where T : struct, Enum;
