using System.Text.Json;

namespace Flows.Benchmarks;

/// <summary>How the benchmarks write JSON: snake_case, as the product does.</summary>
internal static class BenchJson
{
    /// <summary>On one line, from a receiver to whoever started it.</summary>
    public static JsonSerializerOptions Line { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static JsonSerializerOptions Indented { get; } = new(Line) { WriteIndented = true };
}
