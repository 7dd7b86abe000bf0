using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Conntrack;

/// <summary>One run of one side.</summary>
/// <param name="Usage">What the process took.</param>
/// <param name="Flows">Flows opened.</param>
/// <param name="Made">Events that the kernel made for it.</param>
/// <param name="Got">Events that it accounts for.</param>
/// <param name="Overruns">Messages that the kernel could not queue for it.</param>
/// <param name="SendingTook">From the first flow to the last.</param>
internal sealed record ConntrackRound(Usage Usage, long Flows, long Made, long Got, long Overruns, TimeSpan SendingTook);

/// <summary>The rounds of one side.</summary>
internal sealed class PerEvent
{
    private readonly List<double> microseconds = [];
    private readonly List<double> microsecondsPerFlow = [];
    private long made;
    private long got;
    private long overruns;

    public Figures Figures { get; } = new();

    public double FlowsPerSecond { get; private set; }

    public double Microseconds => Figures.Median(microseconds);

    public double MicrosecondsPerFlow => Figures.Median(microsecondsPerFlow);

    public bool HasAll => got == made && overruns == 0;

    /// <summary>Such as <c>400,000 of 400,000</c>, with the messages that the kernel could not queue where there were any.</summary>
    public string Share => FormattableString.Invariant($"{got:N0} of {made:N0}") + (overruns == 0 ? "" : FormattableString.Invariant($" ({overruns:N0} overruns)"));

    public void Add(ConntrackRound round)
    {
        Figures.Add(round.Usage);
        made += round.Made;
        got += round.Got;
        overruns += round.Overruns;
        FlowsPerSecond = Math.Max(FlowsPerSecond, round.Flows / round.SendingTook.TotalSeconds);
        microseconds.Add(round.Usage.Cpu.TotalMicroseconds / round.Made);
        microsecondsPerFlow.Add(round.Usage.Cpu.TotalMicroseconds / round.Flows);
    }
}
