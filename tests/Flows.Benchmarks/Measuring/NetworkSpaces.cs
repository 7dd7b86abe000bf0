namespace Flows.Benchmarks.Measuring;

/// <summary>Two network namespaces of this run's own: one for the generator, one for what is measured; gone with this object.</summary>
internal sealed class NetworkSpaces : IDisposable
{
    private static int number;

    public NetworkSpaces()
    {
        var run = $"flowsbench{Environment.ProcessId}x{Interlocked.Increment(ref number)}";
        Generator = run + "g";
        Measured = run + "m";
        try
        {
            Tool.Run("ip", $"netns add {Generator}");
            Tool.Run("ip", $"netns add {Measured}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Generator { get; }

    public string Measured { get; }

    /// <summary>Lays a veth pair between the two, each end of that name and up, with fixed hardware addresses.</summary>
    public void Link(string name, string generatorMac, string measuredMac)
    {
        Tool.Run("ip", $"link add {name} netns {Generator} address {generatorMac} type veth peer name {name} netns {Measured} address {measuredMac}");
        foreach (var space in new[] { Generator, Measured })
        {
            // Neighbour discovery would be packets that nobody sent.
            Tool.Run("ip", $"netns exec {space} sysctl -qw net.ipv6.conf.{name}.disable_ipv6=1");
            Tool.Run("ip", $"-n {space} link set {name} up");
        }
    }

    public void InMeasured(string program, string arguments, string? input = null) =>
        Tool.Run("ip", $"netns exec {Measured} {program} {arguments}", input);

    public void Dispose()
    {
        foreach (var space in new[] { Generator, Measured })
        {
            if (File.Exists($"/run/netns/{space}"))
            {
                Tool.Run("ip", $"netns del {space}");
            }
        }
    }
}
