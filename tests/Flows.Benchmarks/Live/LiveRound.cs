using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Live;

/// <summary>One run of one side.</summary>
/// <param name="Usage">What the process took.</param>
/// <param name="Received">What it says that it got.</param>
/// <param name="Sent">Packets put onto the link.</param>
/// <param name="SendingTook">From the first to the last.</param>
internal sealed record LiveRound(Usage Usage, Received Received, long Sent, TimeSpan SendingTook)
{
    /// <summary>Sent and not in a flow, wherever it went.</summary>
    public long Lost => Sent - Handled;

    public long Handled => Received.Seen - Received.Lost;
}

/// <summary>The rounds of one side.</summary>
internal sealed class PerPacket
{
    private readonly List<double> microseconds = [];

    public Figures Figures { get; } = new();

    public long Lost { get; private set; }

    public long Sent { get; private set; }

    public double PacketsPerSecond { get; private set; }

    public double Microseconds => Figures.Median(microseconds);

    public void Add(LiveRound round)
    {
        Figures.Add(round.Usage);
        Lost += round.Lost;
        Sent += round.Sent;
        PacketsPerSecond = Math.Max(PacketsPerSecond, round.Sent / round.SendingTook.TotalSeconds);
        microseconds.Add(round.Usage.Cpu.TotalMicroseconds / Math.Max(1, round.Handled));
    }
}
