using System.Diagnostics;
using Flows.KernelCluster;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>A network namespace that a test makes and removes.</summary>
internal sealed class LiveNetns : IDisposable
{
    private static int made;

    public LiveNetns(string role)
    {
        Name = $"fl{Environment.ProcessId}{role}{Interlocked.Increment(ref made)}";
        Tool("ip", $"netns add {Name}");
        Ip("link set lo up");

        // Neighbour discovery would be traffic of its own.
        Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    }

    public string Name { get; }

    /// <summary>True where the full length was asked for.</summary>
    public static bool IsLong => Environment.GetEnvironmentVariable("FLOWS_LONG_TESTS") == "1";

    public void Ip(string arguments) => Tool("ip", $"-n {Name} {arguments}");

    public string Run(string command) => Tool("ip", $"netns exec {Name} {command}");

    /// <summary>Packets that an interface sent and received.</summary>
    public long PacketsOf(string device)
    {
        var fields = Run("cat /proc/net/dev").Split('\n').Single(line => line.TrimStart().StartsWith($"{device}:", StringComparison.Ordinal))
            .Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(fields[1]) + long.Parse(fields[9]);
    }

    /// <summary>Starts a program here; whoever asked ends it.</summary>
    public Process Start(string command)
    {
        var words = command.Split(' ');
        return Process.Start(new ProcessStartInfo("ip", ["netns", "exec", Name, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
    }

    /// <summary>A veth pair between this namespace and another, both ends up.</summary>
    public void Connect(LiveNetns other, string here, string there, string? addressHere = null, string? addressThere = null)
    {
        Ip($"link add {here} type veth peer name {there} netns {other.Name}");
        foreach (var (space, device, address) in new[] { (this, here, addressHere), (other, there, addressThere) })
        {
            if (address is not null)
            {
                space.Ip($"addr add {address} dev {device}");
            }

            space.Ip($"link set {device} up");
        }
    }

    /// <summary>Runs something on a thread in here: sockets and threads made there stay there.</summary>
    public T In<T>(Func<T> act) => Netns.In(Name, act);

    public void Dispose() => Netns.Delete(Name);

    public static string Tool(string name, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{name} {arguments}: {error.Result}");
        return output;
    }
}
