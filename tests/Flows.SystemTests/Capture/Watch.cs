using System.Collections.Concurrent;
using System.Diagnostics;
using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Live;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>A running packet source in a namespace, and what it gave.</summary>
internal sealed class Watch : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly InterfaceSource source;
    private readonly Task run;
    private readonly ConcurrentDictionary<string, long> frames = new();

    private Watch(LiveNetns space, InterfaceSourceOptions options, FrameTap? tap)
    {
        var table = new FlowTable(new ObservationPoint(space.Name, "s"), FlowSource.Packets, new FlowTableOptions(), (in FlowRow row) => Rows.Add(row));
        source = new InterfaceSource(options, new PacketTracker(table, Account), Account, Notes, TimeProvider.System, (name, frame, linkType, wireLength, timeUs) =>
        {
            frames.AddOrUpdate(name, 1, (_, count) => count + 1);
            tap?.Invoke(name, frame, linkType, wireLength, timeUs);
        });
        run = space.In(() => source.RunAsync(stop.Token));
    }

    /// <summary>To be read after <see cref="StopAsync"/>.</summary>
    public List<FlowRow> Rows { get; } = [];

    public HopAccount Account { get; } = PacketTracker.NewAccount();

    public NodeNotes Notes { get; } = new();

    public IReadOnlyList<string> Warnings => source.Warnings;

    public bool IsRunning => !run.IsCompleted;

    public static Task<Watch> StartAsync(LiveNetns space, params string[] interfaces) =>
        StartAsync(space, new InterfaceSourceOptions { Interfaces = interfaces });

    public static async Task<Watch> StartAsync(LiveNetns space, InterfaceSourceOptions options, FrameTap? tap = null)
    {
        var watch = new Watch(space, options, tap);
        await watch.source.Opened;
        return watch;
    }

    public long FramesOf(string device) => frames.GetValueOrDefault(device);

    /// <summary>How long it takes until a frame of that interface arrives, while something is sent; fails after 5 s.</summary>
    public async Task<TimeSpan> CapturesAsync(string device, Action send)
    {
        var before = FramesOf(device);
        var clock = Stopwatch.StartNew();
        while (FramesOf(device) == before)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{device} is not captured after 5 s: {string.Join(' ', Warnings)}");
            send();
            await Task.Delay(50);
        }

        return clock.Elapsed;
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await run;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    /// <summary>Threads of this process that capture.</summary>
    public static List<string> Threads() =>
        [.. Directory.EnumerateDirectories("/proc/self/task").Where(task => File.ReadAllText($"{task}/comm").Trim() == "capture")];

    /// <summary>User and system time of the capturing threads.</summary>
    public static TimeSpan Cpu() => TimeSpan.FromMilliseconds(Threads().Sum(task =>
    {
        // proc_pid_stat(5): fields 14 and 15, in ticks of 10 ms; the name before them holds no blanks.
        var fields = File.ReadAllText($"{task}/stat").Split(' ');
        return (double.Parse(fields[13]) + double.Parse(fields[14])) * 10;
    }));
}
