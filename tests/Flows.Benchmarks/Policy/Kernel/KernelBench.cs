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
    private string? Skipped { get; }

    /// <summary>Tries the run's suggestion, where the kernel can be asked.</summary>
    public void Judge(SimRun run)
    {
        if (router is null)
        {
            return;
        }

        var score = KernelJudge.Judge(run, router);
        scores.Add(score);
        Console.WriteLine(FormattableString.Invariant($"         kernel   {score.Tried} needed connections of {score.Edges} edges in {score.States} states: ")
            + FormattableString.Invariant($"{score.DeniedSeen.Count} seen edges stopped, {score.StoppedUnseen} unseen connections; ")
            + FormattableString.Invariant($"{score.Strangers} never needed: {score.AllowedUntrue.Count} at listening ports let through; {score.Disagreements.Count} disagreements"));
    }

    /// <summary>The kernel's bars, or why there are none; true where all hold.</summary>
    public bool Print()
    {
        if (Skipped is not null)
        {
            Console.WriteLine($"skipped kernel: {Skipped}");
            return true;
        }

        var holds = PolicyTables.Bars(KernelBars.Of(scores));
        PolicyTables.Details(scores.SelectMany(score => (IEnumerable<string>)[
            .. score.DeniedSeen.Select(edge => $"kernel: stopped though seen: {edge}"),
            .. score.AllowedUntrue.Take(5).Select(edge => $"kernel: let through though never needed: {edge}"),
            .. score.Disagreements.Take(5),
        ]));
        return holds;
    }

    public void Dispose() => router?.Dispose();

    private static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).Any(folder => File.Exists(Path.Combine(folder, program)));
}
