using System.Globalization;
using Flows.Capture.Host;

namespace Flows;

/// <summary>
/// Collects the garbage of verbs that hold a whole estate in memory on several processors: a fleet of 100,000 workloads is suggested for in four fifths of the time, with
/// the same memory. Everything else does with one, as suits a collector. The runtime decides at its start, so that the program executes itself once more.
/// </summary>
internal static class GarbageThreads
{
    // Each has its own young generation.
    private const int Most = 4;

    private const string Setting = "DOTNET_gcServer";

    /// <summary>To be called first of all. Where it cannot be had, or somebody has decided already, all stays as it is.</summary>
    public static void Choose(string[] arguments)
    {
        var threads = Math.Min(Environment.ProcessorCount, Most);
        if (threads > 1 && arguments is ["policy", "suggest" or "test" or "plan" or "diff", ..] && Environment.GetEnvironmentVariable(Setting) is null)
        {
            SelfExecution.Tell(Setting, "1");
            SelfExecution.Tell("DOTNET_GCHeapCount", threads.ToString(CultureInfo.InvariantCulture));
            _ = SelfExecution.Again();
        }
    }
}
