namespace Flows.Benchmarks;

/// <summary>How the comparisons are made.</summary>
internal sealed record BenchPlan
{
    /// <summary>The core whose seconds are counted.</summary>
    public const int MeasuredCore = 1;

    /// <summary>The core of the traffic generator.</summary>
    public const int GeneratorCore = 0;

    public required int Rounds { get; init; }

    /// <summary>Sizes that show that it works, not how fast.</summary>
    public bool Quick { get; init; }

    /// <summary>The executable that is measured.</summary>
    public required string Product { get; init; }

    /// <summary>The folder of generated captures.</summary>
    public required string Cache { get; init; }

    /// <summary>The folder of captures that nobody here wrote; it may be absent.</summary>
    public required string Wild { get; init; }

    /// <summary>This program, which contains the receivers.</summary>
    public static string Self => Path.Combine(AppContext.BaseDirectory, "Flows.Benchmarks");

    /// <summary>A folder for what runs write, in memory where the machine offers that, so that no disk is measured.</summary>
    public static DirectoryInfo NewScratch()
    {
        const string Memory = "/dev/shm";
        var path = Path.Combine(Directory.Exists(Memory) ? Memory : Path.GetTempPath(), $"flows-bench-{Guid.NewGuid():N}");
        return Directory.CreateDirectory(path);
    }

    public static void Say(FormattableString what) => Console.Error.WriteLine(FormattableString.Invariant(what));
}
