using System.Threading.Channels;
using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Stating;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>
/// Where the watches of one cluster come together: one of them at a time tells the ledger what it saw, and what follows is handed on in
/// batches. Statements that wait are bounded: when they are too many, the watches stop reading until they were taken.
/// </summary>
internal sealed class ClusterFeed(ClusterLedger ledger, KubernetesOptions options, TimeProvider time)
{
    private readonly Lock gate = new();

    /// <summary>Says that there is something to take; one word of it is enough.</summary>
    private readonly Channel<bool> more = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Apply(ResourceKind kind, KubeObject one, bool gone, bool listed, long atUs)
    {
        lock (gate)
        {
            ledger.Apply(kind, one, gone, listed, atUs);
            Signal();
        }
    }

    public void BeginList(ResourceKind kind)
    {
        lock (gate)
        {
            ledger.BeginList(kind);
        }
    }

    public void EndList(ResourceKind kind, long atUs)
    {
        lock (gate)
        {
            ledger.EndList(kind, atUs);
            Signal();
        }
    }

    /// <summary>There is an object, but it could not be read.</summary>
    public void Unread(ResourceKind kind, string uid)
    {
        lock (gate)
        {
            ledger.Unread(kind, uid);
        }
    }

    public long Count(ResourceKind kind)
    {
        lock (gate)
        {
            return ledger.Count(kind);
        }
    }

    /// <summary>Waits while too many statements wait.</summary>
    public Task RoomAsync(CancellationToken cancellation)
    {
        lock (gate)
        {
            return ledger.Pending < options.PendingMax ? Task.CompletedTask : room.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Hands on what is new, until told to stop; then what is left.</summary>
    public async Task RunAsync(Func<InventoryNews, ValueTask> sink, CancellationToken cancellation)
    {
        for (var last = false; !last;)
        {
            last = cancellation.IsCancellationRequested;
            Task something = more.Reader.WaitToReadAsync(cancellation).AsTask();
            await something.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            more.Reader.TryRead(out _);
            await Task.Delay(options.Gather, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Take() is { IsEmpty: false } news)
            {
                await sink(news).ConfigureAwait(false);
            }
        }
    }

    private InventoryNews Take()
    {
        lock (gate)
        {
            var news = ledger.TakeNews();
            var waiting = room;
            room = new(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.SetResult();
            return news;
        }
    }

    private void Signal()
    {
        if (ledger.Pending > 0)
        {
            more.Writer.TryWrite(true);
        }
    }
}
