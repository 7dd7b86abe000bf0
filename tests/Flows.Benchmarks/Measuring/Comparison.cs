namespace Flows.Benchmarks.Measuring;

/// <summary>One line of the result: our figure, the peer's, their ratio, and the bar where there is one.</summary>
internal sealed record Comparison
{
    /// <summary>Such as <c>p1</c>.</summary>
    public required string Bar { get; init; }

    /// <summary>What was measured, on what.</summary>
    public required string What { get; init; }

    public required string Unit { get; init; }

    public required double Ours { get; init; }

    public required string Peer { get; init; }

    public required double Theirs { get; init; }

    public double Ratio => Theirs == 0 ? 0 : Ours / Theirs;

    /// <summary>The bar, such as <c>≥ 2.0×</c>; null where the line is told beside.</summary>
    public string? Wanted { get; init; }

    public bool? Holds { get; init; }

    /// <summary>What else a reader should know: sizes, losses, how often repeated.</summary>
    public string Note { get; init; } = "";

    /// <summary>A line whose ratio must be at least so much.</summary>
    public Comparison AtLeast(double bar) => this with { Wanted = FormattableString.Invariant($">= {bar:0.0}x"), Holds = Ratio >= bar };

    /// <summary>A line whose ratio must be at most so much.</summary>
    public Comparison AtMost(double bar) => this with { Wanted = FormattableString.Invariant($"<= {bar:0.0}x"), Holds = Ratio <= bar };
}
