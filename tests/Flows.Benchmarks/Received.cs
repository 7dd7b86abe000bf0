using System.Text.Json;
using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks;

/// <summary>What a receiver got.</summary>
/// <param name="Seen">Events or packets, those that the kernel could not hand over included.</param>
/// <param name="Lost">Those that are in no flow, for whatever reason.</param>
/// <param name="Rows">Flow rows in batches; for the naive program the flows in its table.</param>
internal sealed record Received(long Seen, long Lost, long Rows)
{
    /// <summary>Reads the last line that a receiver wrote.</summary>
    public static Received Of(Usage usage) =>
        usage.ExitCode == 0 && usage.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [.., var last] && last.StartsWith('{')
            ? JsonSerializer.Deserialize<Received>(last, BenchJson.Line)!
            : throw BenchException.Of($"A receiver ended with {usage.ExitCode} and said: {usage.Output.Trim()} {usage.Error.Trim()}");
}
