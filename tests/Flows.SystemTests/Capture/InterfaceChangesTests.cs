using System.Diagnostics;
using Flows.Capture.Live;
using Flows.Core.Facts;
using Flows.KernelCluster;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>Interfaces come, go, are renamed, fail; one source on one thread follows them.</summary>
public sealed class InterfaceChangesTests(ITestOutputHelper output) : IDisposable
{
    private readonly LiveNetns? here = Environment.IsPrivilegedProcess ? new LiveNetns("h") : null;
    private readonly LiveNetns? there = Environment.IsPrivilegedProcess ? new LiveNetns("t") : null;

    [Fact]
    public async Task Capture_resumes_within_5_s_after_removed_renamed_added_again_and_down_and_up()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        await using var watch = await Watch.StartAsync(here, "eth0", "veth*", "!vethx*");
        await CapturesAsync(watch, "eth0");

        // Removed, and added again under its name: another index.
        here.Ip("link del eth0");
        await UntilAsync(() => Level(watch, "eth0") == CoverageLevel.None);
        Assert.Contains(watch.Warnings, warning => warning.Contains("no interface eth0", StringComparison.Ordinal));
        here.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        output.WriteLine($"removed and added: {(await CapturesAsync(watch, "eth0")).TotalMilliseconds:F0} ms");
        await UntilAsync(() => Level(watch, "eth0") == CoverageLevel.Full);

        // Down and up.
        here.Ip("link set eth0 down");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        here.Ip("link set eth0 up");
        output.WriteLine($"down and up: {(await CapturesAsync(watch, "eth0")).TotalMilliseconds:F0} ms");

        // Renamed to what a glob fits, to what nothing fits, and back.
        Rename("eth0", "veth7");
        output.WriteLine($"renamed: {(await CapturesAsync(watch, "veth7")).TotalMilliseconds:F0} ms");
        Rename("veth7", "vethx7");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        var seen = watch.Account.Report().Seen;
        Assert.True(SendOn("vethx7"));
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.Equal(seen, watch.Account.Report().Seen);
        Rename("vethx7", "eth0");
        output.WriteLine($"renamed back: {(await CapturesAsync(watch, "eth0")).TotalMilliseconds:F0} ms");

        Assert.Single(Watch.Threads());
        await watch.StopAsync();
        Assert.True(watch.Account.Report().Holds);
        void Rename(string from, string to)
        {
            here.Ip($"link set {from} down");
            here.Ip($"link set {from} name {to}");
            here.Ip($"link set {to} up");
        }
    }

    [Fact]
    public async Task What_was_sent_just_before_an_interface_is_removed_is_counted()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        here.Connect(there!, "veth1", "veth1");
        await using var watch = await Watch.StartAsync(here, "eth*", "veth*");
        here.In(() =>
        {
            using var socket = new PacketSocket("veth1");
            for (var frame = 0; frame < 1000; frame++)
            {
                Assert.True(socket.TrySend(TestFrames.Udp(4000, 4001, 200)));
            }

            return true;
        });
        here.Ip("link del veth1");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.Equal(1000, watch.FramesOf("veth1"));
    }

    [Fact]
    public async Task Interfaces_beyond_the_ring_budget_are_named_and_captured_when_there_is_room()
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        await using var watch = await Watch.StartAsync(here, new InterfaceSourceOptions { Interfaces = ["eth0", "veth*"], RingBytes = 8 << 20 });

        // 8 MiB are four rings of 2 MiB: eth0's larger one shrinks, and the fourth veth finds no room.
        for (var index = 1; index <= 4; index++)
        {
            here.Connect(there!, $"veth{index}", $"veth{index}");
        }

        await UntilAsync(() => Level(watch, "veth*") == CoverageLevel.Partial);
        Assert.Contains(watch.Warnings, warning => warning.Contains("--ring-mib", StringComparison.Ordinal) && warning.Contains("veth4", StringComparison.Ordinal));
        await CapturesAsync(watch, "eth0");
        await CapturesAsync(watch, "veth3");

        here.Ip("link del veth2");
        await CapturesAsync(watch, "veth4");
        await UntilAsync(() => Level(watch, "veth*") == CoverageLevel.Full);
    }

    [Theory]
    [InlineData(1, 50)]
    [InlineData(15, 15)]
    public async Task Interfaces_appear_and_vanish_without_growth(int atOnce, int perSecond)
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0", "10.99.8.1/24", "10.99.8.2/24");
        await using var watch = await Watch.StartAsync(here, "eth0", "veth*");
        await ChurnAsync(TimeSpan.FromSeconds(2), atOnce, perSecond);
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        var before = Use();
        var pairs = await ChurnAsync(TimeSpan.FromSeconds(LiveNetns.IsLong ? 600 : 6), atOnce, perSecond);
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        var after = Use();
        output.WriteLine($"{pairs} interfaces; before {before}, after {after}, frames of them {watch.Account.Report().Seen}");

        Assert.True(watch.IsRunning);
        Assert.Single(Watch.Threads());
        Assert.True(after.Descriptors <= before.Descriptors + 2, $"descriptors: {before.Descriptors}, then {after.Descriptors}");
        Assert.True(after.HeapBytes < before.HeapBytes + (8 << 20), $"heap: {before.HeapBytes}, then {after.HeapBytes}");
        await CapturesAsync(watch, "eth0");
        here.Connect(there!, "vethlast", "vethlast");
        await CapturesAsync(watch, "vethlast");
        await watch.StopAsync();
        Assert.True(watch.Account.Report().Holds);
    }

    [Fact]
    public async Task An_idle_source_of_15_interfaces_costs_one_thread_and_next_to_no_time()
    {
        Require.RootAnd("ip");
        for (var index = 0; index < 15; index++)
        {
            here!.Connect(there!, $"veth{index}", $"veth{index}");
        }

        await using var watch = await Watch.StartAsync(here!, "veth*");
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        var before = Watch.Cpu();
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        var spent = Watch.Cpu() - before;
        output.WriteLine($"{spent.TotalMilliseconds} ms in 2.5 s");

        Assert.Single(Watch.Threads());
        Assert.True(spent < TimeSpan.FromMilliseconds(50), $"{spent.TotalMilliseconds} ms of CPU time in 2.5 s");
    }

    [Theory]
    [InlineData("eth0", "nosuch0")]
    [InlineData("any")]
    [InlineData("")]
    [InlineData("eth0/1")]
    public async Task A_name_that_is_not_there_is_a_wrong_question(params string[] names)
    {
        Require.RootAnd("ip");
        here!.Connect(there!, "eth0", "eth0");
        var fault = await Assert.ThrowsAsync<Core.FlowsException>(() => Watch.StartAsync(here, names));
        Assert.Equal(Core.ExitCode.Usage, fault.ExitCode);
    }

    public void Dispose()
    {
        here?.Dispose();
        there?.Dispose();
    }

    /// <summary>Makes and removes veth pairs until the time is up; returns how many.</summary>
    private async Task<int> ChurnAsync(TimeSpan length, int atOnce, int perSecond)
    {
        using var batch = Process.Start(new ProcessStartInfo("ip", ["-n", here!.Name, "-force", "-batch", "-"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        var errors = batch.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        var pairs = 0;
        for (; clock.Elapsed < length; pairs += atOnce)
        {
            for (var index = pairs; index < pairs + atOnce; index++)
            {
                await batch.StandardInput.WriteLineAsync($"link add veth{index} up type veth peer name p{index}");
                await batch.StandardInput.WriteLineAsync($"link set p{index} up");
            }

            await batch.StandardInput.FlushAsync();
            await Task.Delay(1000 * atOnce / perSecond / 2, TestContext.Current.CancellationToken);
            for (var index = pairs; index < pairs + atOnce; index++)
            {
                await batch.StandardInput.WriteLineAsync($"link del veth{index}");
            }

            await batch.StandardInput.FlushAsync();
            await Task.Delay(1000 * atOnce / perSecond / 2, TestContext.Current.CancellationToken);
        }

        batch.StandardInput.Close();
        await batch.WaitForExitAsync();
        Assert.Equal("", await errors);
        return pairs;
    }

    private Task<TimeSpan> CapturesAsync(Watch watch, string device) => watch.CapturesAsync(device, () => SendOn(device));

    private bool SendOn(string device) => here!.In(() =>
    {
        using var socket = new PacketSocket(device);
        return socket.TrySend(TestFrames.Udp(4000, 4001, 20));
    });

    private static CoverageLevel Level(Watch watch, string aspect) => watch.Notes.Coverage.Single(fact => fact.Source == "packets" && fact.Aspect == aspect).Level;

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var clock = Stopwatch.StartNew(); !holds();)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), "not after 5 s");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static (int Descriptors, long HeapBytes) Use()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(), GC.GetTotalMemory(forceFullCollection: true));
    }
}
