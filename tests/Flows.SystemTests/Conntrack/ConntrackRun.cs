using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Capture.Recording;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using SharpPcap;
using SharpPcap.LibPcap;
using Xunit;

namespace Flows.SystemTests.Conntrack;

/// <summary>A source at work in the server's namespace, with all that it gave.</summary>
internal sealed class ConntrackRun : IDisposable
{
    public static readonly ObservationPoint Point = new("node-1", "test");

    private readonly List<FlowRow> rows = [];
    private readonly string file = Path.GetTempFileName();
    private readonly RecordingWriter recording;
    private readonly int recordingInterface;
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    private readonly ManualResetEventSlim mayRead = new(initialState: true);

    private ConntrackRun(Func<Func<Task>, Task> start, ConntrackSourceOptions options, TimeSpan firstRowDelay)
    {
        recording = new RecordingWriter(File.Create(file), 1L << 30, "flows.node=node-1");
        recordingInterface = recording.AddInterface("conntrack", RecordingWriter.LinkTypeNetlink);
        Source = new ConntrackSource(Point, Sink, Account, TimeProvider.System, options, Tap, notes: Notes);
        running = start(() => Source.RunAsync(stop.Token));

        void Sink(in FlowRow row)
        {
            if (rows.Count == 0)
            {
                Thread.Sleep(firstRowDelay);
            }

            lock (rows)
            {
                rows.Add(row);
            }
        }
    }

    public int RowCount => rows.Count;

    public HopAccount Account { get; } = new("conntrack", "events");

    public ConntrackSource Source { get; }

    public NodeNotes Notes { get; } = new();

    /// <summary>The rows so far.</summary>
    public List<FlowRow> Rows
    {
        get
        {
            lock (rows)
            {
                return [.. rows];
            }
        }
    }

    public bool IsRunning => !running.IsCompleted;

    public static async Task<ConntrackRun> StartAsync(
        ConntrackNetns net, TimeSpan? activeTimeout = null, int receiveBufferBytes = 64 << 20, TimeSpan firstRowDelay = default)
    {
        var options = new ConntrackSourceOptions { ActiveTimeout = activeTimeout ?? TimeSpan.FromMinutes(1), ReceiveBufferBytes = receiveBufferBytes };
        return await StartAsync(act => net.InServer(act), options, firstRowDelay);
    }

    /// <summary>Looks around five times a second instead of once in 5 s.</summary>
    public static Task<ConntrackRun> StartAsync(ConntrackNetns net, ConntrackSourceOptions options) =>
        StartAsync(act => net.InServer(act), options with { LookEvery = TimeSpan.FromMilliseconds(200) });

    public static async Task<ConntrackRun> StartAsync(Func<Func<Task>, Task> start, ConntrackSourceOptions options, TimeSpan firstRowDelay = default)
    {
        var run = new ConntrackRun(start, options, firstRowDelay);
        await await Task.WhenAny(run.Source.Started, run.running).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return run;
    }

    /// <summary>Holds the reader up, as a stopped process would be, while <paramref name="act"/> runs; it stands once an event has come.</summary>
    public void Hold(Action act)
    {
        mayRead.Reset();
        try
        {
            act();
        }
        finally
        {
            mayRead.Set();
        }
    }

    /// <summary>What the source says of an aspect now; null where it has said nothing.</summary>
    public CoverageFact? Coverage(string aspect) => Notes.Coverage.SingleOrDefault(fact => fact.Aspect == aspect);

    public Task<TimeSpan> BecomesAsync(string aspect, CoverageLevel level) =>
        UntilAsync(() => Coverage(aspect)?.Level == level, () => $"{aspect} never became {level}, but {Coverage(aspect)}");

    /// <summary>Waits until it is so, and tells how long that took.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<bool> so, Func<string> otherwise, int secondsMax = 20)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!so())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(secondsMax), otherwise());
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(began);
    }

    public async Task<List<FlowRow>> StopAsync()
    {
        // What the last packets caused is in the kernel's queue already: events are queued as the packets pass.
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return rows;
    }

    public (List<FlowRow> Rows, HopReport Report) Replay()
    {
        var again = new List<FlowRow>();
        var account = new HopAccount("conntrack", "events");
        var replay = new ConntrackReplay(Point, (in FlowRow row) => again.Add(row), account);
        recording.Dispose();
        using var device = new CaptureFileReaderDevice(file);
        device.Open();
        Assert.Equal(RecordingWriter.LinkTypeNetlink, (int)device.LinkType);
        while (device.GetNextPacket(out var packet) == GetPacketStatus.PacketRead)
        {
            var time = packet.Header.Timeval;
            replay.OnPacket(packet.Data, ((long)time.Seconds * UnixTime.Second) + (long)time.MicroSeconds);
        }

        replay.Complete();
        return (again, account.Report());
    }

    public void Dispose()
    {
        mayRead.Set();
        stop.Cancel();
        _ = running.Wait(TimeSpan.FromSeconds(20));
        stop.Dispose();
        recording.Dispose();
        File.Delete(file);
    }

    private void Tap(ReadOnlySpan<byte> datagram, long timeUs)
    {
        mayRead.Wait();
        Assert.True(recording.WriteNetlink(recordingInterface, datagram, timeUs));
    }
}
