using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture;
using Flows.Capture.Batching;
using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Capture.Live;
using Flows.Capture.Names;
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

    private readonly Channel<RecordBatch> batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesMax) { SingleReader = true });
    private readonly List<HopAccount> accounts = [];
    private readonly Batcher batcher;
    private readonly RecordingWriter? recording;
    private readonly IReadOnlyList<string> rightsWarnings;
    private readonly List<ConntrackSource> conntracks = [];
    private readonly List<InterfaceSource> interfaces = [];

    public Collection(SourceOptions options, TimeProvider time)
    {
        var point = new ObservationPoint(options.Node, options.Scope);
        rightsWarnings = options.RightsWarning is { } warning ? [warning] : [];
        recording = options.RecordTo is { } path ? new RecordingWriter(File.Create(path), RecordingBytesMax, $"flows recording of node {options.Node}") : null;
        batcher = new Batcher(batches.Writer, new BatcherOptions(), time);
        if (options.Conntrack)
        {
            // The node's own network namespace first, then further ones; each has its own thread, table and books.
            string?[] spaces = [null, .. options.Namespaces];
            foreach (var space in spaces)
            {
                AddConntrack(point, options, space, time);
            }
        }

        var account = PacketTracker.NewAccount();
        if (options.Interfaces.Count > 0)
        {
            accounts.Add(account);
        }

        // One for all interfaces, so that an answer that crosses several is one.
        var names = options.Names && options.Interfaces.Count > 0 ? new NameObserver(Notes.Note) : null;
        if (names is not null)
        {
            accounts.Add(names.Account);
        }

        foreach (var name in options.Interfaces)
        {
            var table = new FlowTable(point, FlowSource.Packets, new FlowTableOptions(), batcher.AppendOrDrop, origin: name);
            interfaces.Add(new InterfaceSource(
                new InterfaceSourceOptions { Interface = name }, new PacketTracker(table, account, names), account, time, TapPackets($"{options.Node}/{name}")));
        }
    }

    /// <summary>Full or aged batches; completed when the last row of the last source is in.</summary>
    public ChannelReader<RecordBatch> Batches => batches.Reader;

    /// <summary>The books, in the order of the data.</summary>
    public IReadOnlyList<HopAccount> Accounts => [.. accounts, batcher.Account, Notes.Account];

    /// <summary>What the sources learn beside flows: coverage, owners, names.</summary>
    public NodeNotes Notes { get; } = new();

    /// <summary>What is not as it should be with the rights of this process or with the kernel, in sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. rightsWarnings, .. conntracks.SelectMany(one => one.Warnings)];

    /// <summary>Done when every source watches: from then on nothing is missed.</summary>
    public Task Started => Task.WhenAll([.. conntracks.Select(one => one.Started), .. interfaces.Select(one => one.Opened)]);

    /// <summary>Runs all sources until cancelled, or until the first fails, which stops the others; then completes the channel.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = interfaces.Select(one => one.RunAsync(ending.Token)).ToList();
        running.AddRange(conntracks.Select(one => one.RunAsync(ending.Token)));

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

    private void AddConntrack(ObservationPoint point, SourceOptions options, string? space, TimeProvider time)
    {
        var name = space is null ? "conntrack" : $"conntrack@{space}";
        var events = new HopAccount(name, "events");
        accounts.Add(events);
        var settings = new ConntrackSourceOptions
        {
            ManageSysctl = options.ManageSysctl,
            Namespace = space,
            MemoryFile = options.MemoryDirectory is { } directory ? Path.Combine(directory, $"{name.Replace('/', '_')}.watched") : null,
        };
        conntracks.Add(new ConntrackSource(point, batcher.AppendOrDrop, events, time, settings, TapNetlink($"{options.Node}/{name}"), notes: Notes));
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

    private FrameTap? TapPackets(string name)
    {
        if (recording is null)
        {
            return null;
        }

        // The link type is known with the first frame; each interface has one thread, so one frame is the first.
        int? id = null;
        return (frame, linkType, wireLength, timeUs) => recording.Write(id ??= recording.AddInterface(name, (ushort)linkType), frame, wireLength, timeUs);
    }
}
