using System.Diagnostics;
using System.Text.Json;
using Flows.Demo;
using Xunit;

namespace Flows.SystemTests.Demo;

/// <summary>The fleet on the real kernel, judged by the kernel's own connection tracking as conntrack-tools print it.</summary>
public sealed class FleetTests
{
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Kernel_sees_exactly_the_connections_that_the_truth_knows()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter", "conntrack");
        var token = TestContext.Current.CancellationToken;
        var started = Stopwatch.StartNew();
        await using var fleet = await Fleet.StartAsync(TimeProvider.System, token);
        var built = started.Elapsed;
        var watches = fleet.Nodes.ToDictionary(node => node.Name, node => ConntrackWatch.Start(node.Pid));
        await Task.Delay(500, token);
        var truth = await fleet.RunTrafficAsync(token);
        var ran = started.Elapsed;
        await Task.Delay(500, token);
        TestContext.Current.TestOutputHelper?.WriteLine($"fleet {built.TotalSeconds:0.0} s, traffic until {ran.TotalSeconds:0.0} s, {truth.Connections.Count} connections, {truth.Edges.Count} edges");

        Assert_one_address_has_two_holders_with_a_gap(fleet.Inventory);
        Assert.True(ran < TimeSpan.FromSeconds(60), $"The fleet took {ran.TotalSeconds:0} s.");
        foreach (var node in fleet.Nodes)
        {
            var seen = await watches[node.Name].StopAsync();
            var expected = truth.Connections.Where(one => one.Nodes.Contains(node.Name)).Select(ConntrackWatch.KeyOf).Order().ToList();
            Assert.Equal(expected, seen);
        }
    }

    private static void Assert_one_address_has_two_holders_with_a_gap(IReadOnlyList<string> inventory)
    {
        var lines = inventory.Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("addr").GetString() == FleetPlan.Successor.V4).ToList();
        Assert.Equal([FleetPlan.Report, FleetPlan.Audit], lines.Select(line => line.GetProperty("name").GetString()));
        Assert.True(lines[0].GetProperty("valid_to").GetDateTimeOffset().AddSeconds(1) < lines[1].GetProperty("valid_from").GetDateTimeOffset());
        Assert.DoesNotContain(inventory, line => line.Contains(FleetPlan.Outside, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disposing_leaves_no_process_and_no_namespace()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var linksBefore = HostLinks();
        var fleet = await Fleet.StartAsync(TimeProvider.System, TestContext.Current.CancellationToken);
        var namespaces = NamespacesBelow(Environment.ProcessId);
        Assert.NotEmpty(namespaces);
        Assert.Equal(linksBefore, HostLinks());

        // A guest of a node stands in the node's namespace, and ends with the fleet. A pod is as good a guest as any.
        var node = fleet.Nodes[1];
        var guest = fleet.StartInNode(node, "demo-pod");
        var waited = Stopwatch.StartNew();
        while (NamespaceOf(guest.Pid) != NamespaceOf(node.Pid))
        {
            Assert.True(waited.Elapsed < PatienceMax, "The guest is not in its node's namespace.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await fleet.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{guest.Pid}"));
        Assert.Empty(NamespacesAlive().Intersect(namespaces));
        Assert.Equal(linksBefore, HostLinks());
    }

    [Fact]
    public async Task Killing_the_demo_ends_its_processes_and_namespaces()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var token = TestContext.Current.CancellationToken;
        var linksBefore = HostLinks();

        // Another process of this very test program builds a fleet and waits; it is then killed without a chance to clean up.
        using var demo = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--filter-method", "*FleetTests.Fleet_waits_to_be_killed", "--no-ansi"])
        {
            Environment = { ["FLOWS_TEST_FLEET_WAITS"] = "1" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = demo.StandardOutput.ReadToEndAsync(token);
        _ = demo.StandardError.ReadToEndAsync(token);
        var deadline = Stopwatch.StartNew();
        List<(int Pid, string Namespace)> pods;
        do
        {
            await Task.Delay(200, token);
            pods = PodsBelow(demo.Id);
            Assert.True(deadline.Elapsed < TimeSpan.FromSeconds(60) && !demo.HasExited, "The fleet of the other process did not come up.");
        }
        while (pods.Count < FleetPlan.Members.Count(member => !member.HostNetwork) + FleetPlan.Nodes.Count);
        await Task.Delay(2000, token);
        Assert.Equal(pods.Order(), PodsBelow(demo.Id).Order());

        demo.Kill(entireProcessTree: false);
        await demo.WaitForExitAsync(token);
        var killed = Stopwatch.StartNew();
        while (pods.Any(pod => Directory.Exists($"/proc/{pod.Pid}")) || NamespacesAlive().Overlaps(pods.Select(pod => pod.Namespace)))
        {
            Assert.True(killed.Elapsed < PatienceMax, "Processes or namespaces of the killed demo are still there.");
            await Task.Delay(50, token);
        }

        Assert.Equal(linksBefore, HostLinks());
    }

    /// <summary>The victim of <see cref="Killing_the_demo_ends_its_processes_and_namespaces"/>; by itself it does nothing.</summary>
    [Fact]
    public async Task Fleet_waits_to_be_killed()
    {
        if (Environment.GetEnvironmentVariable("FLOWS_TEST_FLEET_WAITS") is null)
        {
            return;
        }

        await using var fleet = await Fleet.StartAsync(TimeProvider.System, TestContext.Current.CancellationToken);
        await Task.Delay(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
    }

    private static string? NamespaceOf(int pid) => new FileInfo($"/proc/{pid}/ns/net").LinkTarget;

    private static string HostLinks() => string.Join('\n', Directory.GetFileSystemEntries("/sys/class/net").Order());

    private static HashSet<string> NamespacesBelow(int parent) => [.. PodsBelow(parent).Select(pod => pod.Namespace)];

    /// <summary>The children of a process that hold another network namespace than it does.</summary>
    private static List<(int Pid, string Namespace)> PodsBelow(int parent)
    {
        var own = NamespaceOf(parent);
        return [.. Processes().Where(one => one.Parent == parent && one.Namespace != own).Select(one => (one.Pid, one.Namespace))];
    }

    private static HashSet<string> NamespacesAlive() => [.. Processes().Select(one => one.Namespace)];

    private static IEnumerable<(int Pid, int Parent, string Namespace)> Processes()
    {
        foreach (var directory in Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            (int, int, string)? process = null;
            try
            {
                var stat = File.ReadAllText(Path.Combine(directory, "stat"));
                var parent = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
                process = (int.Parse(Path.GetFileName(directory), System.Globalization.CultureInfo.InvariantCulture), parent, new FileInfo(Path.Combine(directory, "ns/net")).LinkTarget ?? "");
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked.
            }

            if (process is { } found)
            {
                yield return found;
            }
        }
    }
}
