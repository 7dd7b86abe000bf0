using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture;
using Flows.Capture.Batching;
using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Capture.Live;
using Flows.Capture.Names;
using Flows.Capture.Owners;
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
    private readonly IReadOnlyList<string> rightsWarnings;
    private readonly List<ConntrackSource> conntracks = [];
    private readonly OwnerResolver? owners;
    private readonly TrackedTuples? tracked;
    private readonly List<InterfaceSource> packets = [];

    public Collection(SourceOptions options, TimeProvider time)
    {
        var point = new ObservationPoint(options.Node, options.Scope);
        rightsWarnings = options.RightsWarning is { } warning ? [warning] : [];
        recording = options.RecordTo is { } path ? new RecordingWriter(File.Create(path), RecordingBytesMax, $"flows recording of node {options.Node}") : null;
        batcher = new Batcher(batches.Writer, new BatcherOptions(), time);
        FlowSink sink = batcher.AppendOrDrop;
        if (options.Owners)
        {
            owners = new OwnerResolver(point, new OwnerOptions { Processes = options.OwnerProcesses }, Notes, time);
            sink = owners.Stamp(sink);
        }

        if (options.Conntrack)
        {
            tracked = options.Interfaces.Count > 0 ? new TrackedTuples(time) : null;

            // The node's own network namespace first, then further ones; each has its own thread, table and books.
            string?[] spaces = [null, .. options.Namespaces];
            foreach (var space in spaces)
            {
                AddConntrack(point, options, space, sink, time);
            }
        }

        AddPackets(point, options, sink, time);
    }

    /// <summary>Full or aged batches; completed when the last row of the last source is in.</summary>
    public ChannelReader<RecordBatch> Batches => batches.Reader;

    /// <summary>The books, in the order of the data.</summary>
    public IReadOnlyList<HopAccount> Accounts => [.. accounts, .. owners is null ? [] : new[] { owners.Account }, batcher.Account, Notes.Account];

    /// <summary>What the sources learn beside flows: coverage, owners, names.</summary>
    public NodeNotes Notes { get; } = new();

    /// <summary>What is not as it should be with the rights of this process or with the kernel, in sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. rightsWarnings, .. conntracks.SelectMany(one => one.Warnings), .. packets.SelectMany(one => one.Warnings)];

    /// <summary>Done when every source watches: from then on nothing is missed.</summary>
    public Task Started => Task.WhenAll([.. conntracks.Select(one => one.Started), .. packets.Select(one => one.Opened)]);

    /// <summary>Runs all sources until cancelled, or until the first fails, which stops the others; then completes the channel.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);

        // Before the sources: what they find at their start then has its owners.
        owners?.Start();
        var running = packets.Select(one => one.RunAsync(ending.Token)).ToList();
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
        owners?.Dispose();
        await batcher.DisposeAsync().ConfigureAwait(false);
        recording?.Dispose();
    }

    private void AddConntrack(ObservationPoint point, SourceOptions options, string? space, FlowSink sink, TimeProvider time)
    {
        var name = space is null ? "conntrack" : $"conntrack@{space}";
        var events = new HopAccount(name, "events");
        accounts.Add(events);
        var settings = new ConntrackSourceOptions
        {
            ManageSysctl = options.ManageSysctl,
            ReceiveBufferBytes = options.ConntrackBufferBytes,
            EntriesMax = options.ConntrackEntriesMax,
            Namespace = space,
            Prompt = space is null && owners is not null,
            MemoryFile = options.MemoryDirectory is { } directory ? Path.Combine(directory, $"{name.Replace('/', '_')}.watched") : null,
        };

        // What another namespace tracks is not what these interfaces show, and its sockets are not in the tables that this process may ask.
        ConntrackSeen? seen = null;
        ConntrackSeen? alive = null;
        if (space is null && tracked is not null)
        {
            alive = (in ConntrackTuple orig, in ConntrackTuple reply, bool _) => tracked.Note(in orig, in reply);
            seen = alive;
        }

        if (space is null && owners is not null)
        {
            seen += owners.OnConntrack;
        }

        conntracks.Add(new ConntrackSource(point, space is null ? sink : batcher.AppendOrDrop, events, time, settings, TapNetlink($"{options.Node}/{name}"), seen, Notes, alive));
    }

    /// <summary>One tracker for all interfaces: a flow that several of them see is one flow, and an answer that crosses several is one.</summary>
    private void AddPackets(ObservationPoint point, SourceOptions options, FlowSink sink, TimeProvider time)
    {
        var names = options.Names && options.Interfaces.Count + options.NamesInterfaces.Count > 0 ? new NameObserver(Notes.Note) : null;
        if (options.Interfaces.Count > 0)
        {
            AddInterfaces(point, options.Interfaces, InterfaceFilter.All, options, sink, names, time);
        }
        else if (options.NamesInterfaces.Count > 0 && names is not null)
        {
            AddInterfaces(point, options.NamesInterfaces, InterfaceFilter.NamesOnly, options, sink, names, time);
        }

        if (names is not null)
        {
            accounts.Add(names.Account);
        }
    }

    private void AddInterfaces(
        ObservationPoint point, IReadOnlyList<string> patterns, InterfaceFilter filter, SourceOptions options, FlowSink sink, NameObserver? names, TimeProvider time)
    {
        var account = PacketTracker.NewAccount();
        accounts.Add(account);
        if (filter == InterfaceFilter.NamesOnly)
        {
            // Conntrack reports the flows; of these packets only the answers are wanted.
            sink = static (in FlowRow _) => { };
        }
        else if (tracked is not null)
        {
            var rest = new ConntrackOwns(tracked, sink);
            accounts.Add(rest.Account);
            sink = rest.Take;
        }

        var table = new FlowTable(point, FlowSource.Packets, new FlowTableOptions(), sink);
        if (filter == InterfaceFilter.All)
        {
            owners?.Watch(table);
        }

        var settings = new InterfaceSourceOptions { Interfaces = patterns, Filter = filter, RingBytes = options.RingMib << 20 };
        packets.Add(new InterfaceSource(settings, new PacketTracker(table, account, names), account, Notes, time, TapPackets(options.Node)));
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
