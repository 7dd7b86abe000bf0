namespace Flows.Benchmarks.Measuring;

/// <summary>One side's rounds: CPU seconds and peak memory.</summary>
internal sealed class Figures
{
    private readonly List<double> cpuSeconds = [];
    private readonly List<double> peakBytes = [];

    public double CpuSeconds => Median(cpuSeconds);

    public double PeakMib => Median(peakBytes) / (1 << 20);

    public void Add(Usage usage)
    {
        cpuSeconds.Add(usage.Cpu.TotalSeconds);
        peakBytes.Add(usage.PeakResidentBytes);
    }

    public static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
