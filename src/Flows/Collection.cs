using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture;
using Flows.Capture.Batching;
using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Capture.Live;
using Flows.Capture.Packets;
using Flows.Capture.Recording;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows;

/// <summary>
/// The node's half of the data path, up to full batches: sources on their own threads, one batcher, one bounded channel. Whoever reads
/// the channel owns each batch.
/// </summary>
internal sealed class Collection : IAsyncDisposable
{
    // The batcher counts what a full channel refuses; 16 batches of 4,096 rows are some seconds of a busy node, about 16 MB.
    private const int BatchesMax = 16;

    // A recording is for an hour of a lively node or a day of a quiet one, not for ever.
    private const long RecordingBytesMax = 256L << 20;
    private const int RecordedInterfacesMax = 1024;

    private readonly Channel<RecordBatch> batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesMax) { SingleReader = true });
    private readonly List<HopAccount> accounts = [];
    private readonly Batcher batcher;
    private readonly RecordingWriter? recording;
    private readonly ConntrackSource? conntrack;
    private readonly InterfaceSource? packets;

    public Collection(SourceOptions options, TimeProvider time)
    {
        var point = new ObservationPoint(options.Node, options.Scope);
        recording = options.RecordTo is { } path ? new RecordingWriter(File.Create(path), RecordingBytesMax, $"flows recording of node {options.Node}") : null;
        batcher = new Batcher(batches.Writer, new BatcherOptions(), time);
        var owns = options.Conntrack && options.Interfaces.Count > 0 ? new TrackedTuples(time) : null;
        if (options.Conntrack)
        {
            var events = new HopAccount("conntrack", "events");
            accounts.Add(events);
            ConntrackSeen? seen = owns is null ? null : (in ConntrackTuple orig, in ConntrackTuple reply, bool _) => owns.Note(in orig, in reply);
            var settings = new ConntrackSourceOptions { ManageSysctl = options.ManageSysctl };
            conntrack = new ConntrackSource(point, batcher.AppendOrDrop, events, time, settings, TapNetlink($"{options.Node}/conntrack"), seen, alive: seen);
        }

        if (options.Interfaces.Count > 0)
        {
            packets = OpenPackets(options, point, owns, time);
        }
    }

    /// <summary>Full or aged batches; completed when the last row of the last source is in.</summary>
    public ChannelReader<RecordBatch> Batches => batches.Reader;

    /// <summary>The books, in the order of the data.</summary>
    public IReadOnlyList<HopAccount> Accounts => [.. accounts, batcher.Account, Notes.Account];

    /// <summary>What the sources learn beside flows: coverage, owners, names.</summary>
    public NodeNotes Notes { get; } = new();

    /// <summary>What the kernel does not give as it should, in sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. conntrack?.Warnings ?? [], .. packets?.Warnings ?? []];

    /// <summary>Done when every source watches: from then on nothing is missed.</summary>
    public Task Started => Task.WhenAll(conntrack?.Started ?? Task.CompletedTask, packets?.Opened ?? Task.CompletedTask);

    /// <summary>Runs all sources until cancelled, or until the first fails, which stops the others; then completes the channel.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task?[] sources = [packets?.RunAsync(ending.Token), conntrack?.RunAsync(ending.Token)];
        var running = sources.OfType<Task>().ToList();

        try
        {
            await await Task.WhenAny(running).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await batcher.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
            recording?.Flush();
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await batcher.DisposeAsync().ConfigureAwait(false);
        recording?.Dispose();
    }

    private Action<ReadOnlySpan<byte>, long>? TapNetlink(string name)
    {
        if (recording is null)
        {
            return null;
        }

        var id = recording.AddInterface(name, RecordingWriter.LinkTypeNetlink);
        return (datagram, timeUs) => recording.WriteNetlink(id, datagram, timeUs);
    }

    /// <summary>One tracker for all interfaces: a flow that several of them see is one flow.</summary>
    private InterfaceSource OpenPackets(SourceOptions options, ObservationPoint point, TrackedTuples? owns, TimeProvider time)
    {
        var account = PacketTracker.NewAccount();
        accounts.Add(account);
        FlowSink rows = batcher.AppendOrDrop;
        if (owns is not null)
        {
            var filter = new ConntrackOwns(owns, rows);
            accounts.Add(filter.Account);
            rows = filter.Take;
        }

        var table = new FlowTable(point, FlowSource.Packets, new FlowTableOptions(), rows);
        var settings = new InterfaceSourceOptions { Interfaces = options.Interfaces, RingBytes = options.RingMib << 20 };
        return new InterfaceSource(settings, new PacketTracker(table, account), account, Notes, time, TapPackets(options.Node));
    }

    private FrameTap? TapPackets(string node)
    {
        if (recording is null)
        {
            return null;
        }

        // One thread captures on all interfaces. A busy node makes new names all day; a recording that is bounded in bytes needs no more of them.
        var ids = new Dictionary<(string Name, int LinkType), int>();
        return (name, frame, linkType, wireLength, timeUs) =>
        {
            if (!ids.TryGetValue((name, linkType), out var id))
            {
                if (ids.Count == RecordedInterfacesMax)
                {
                    return;
                }

                id = recording.AddInterface($"{node}/{name}", (ushort)linkType);
                ids.Add((name, linkType), id);
            }

            recording.Write(id, frame, wireLength, timeUs);
        };
    }
}
