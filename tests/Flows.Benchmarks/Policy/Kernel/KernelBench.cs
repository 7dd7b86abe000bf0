using Flows.Benchmarks.Policy.Scores;
using Flows.KernelCluster;

namespace Flows.Benchmarks.Policy.Kernel;

/// <summary>The kernel's part of the benchmark, where this machine allows it.</summary>
internal sealed class KernelBench : IDisposable
{
    private static readonly string[] Programs = ["ip", "nft", "sysctl"];

    private readonly KernelRouter? router;
    private readonly List<KernelScore> scores = [];

    public KernelBench()
    {
        Skipped = !Environment.IsPrivilegedProcess ? "it takes root to make network namespaces"
            : Programs.FirstOrDefault(program => !Has(program)) is { } missing ? $"the program '{missing}' is not installed" : null;
        router = Skipped is null ? new KernelRouter() : null;
    }

    /// <summary>Why the kernel is not asked; null where it is.</summary>
    public string? Skipped { get; }

    public IReadOnlyList<KernelScore> Scores => scores;

    /// <summary>One line for the landscape, or none where the kernel is not asked.</summary>
    public string? Judge(SimRun run)
    {
        if (router is null)
        {
            return null;
        }

        var score = KernelJudge.Judge(run, router);
        scores.Add(score);
        return FormattableString.Invariant($"{run.Topology.Name,-16}  kernel   {score.Tried} needed connections of {score.Edges} edges in {score.States} states: ")
            + FormattableString.Invariant($"stopped of seen edges {score.DeniedSeen.Count}, of unseen {score.StoppedUnseen} connections; ")
            + FormattableString.Invariant($"{score.Strangers} never needed: {score.AllowedUntrue.Count} let through; disagreements {score.Disagreements.Count}");
    }

    public void Dispose() => router?.Dispose();

    private static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).Any(folder => File.Exists(Path.Combine(folder, program)));
}
