using Flows.Core;
using Flows.Core.Accounting;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Follows the connection tracking of one network namespace: that of the thread that calls <see cref="RunAsync"/>, or the one in the options.
/// Events tell what begins and ends, dumps what goes on. Both arrive on one thread of its own, so their order is a fact.
/// </summary>
public sealed class ConntrackSource
{
    private readonly TimeProvider time;
    private readonly ConntrackSourceOptions options;
    private readonly Action<ReadOnlySpan<byte>, long>? tap;
    private readonly ConntrackTracker tracker;
    private readonly ConntrackCoverage coverage;
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="point">The node and scope of the rows.</param>
    /// <param name="sink">Takes each row, on the source's thread.</param>
    /// <param name="account">The hop <c>conntrack</c>, unit <c>events</c>.</param>
    /// <param name="time">Gives every datagram its time.</param>
    /// <param name="options">How to follow.</param>
    /// <param name="tap">Gets exactly the datagrams that the tracker gets, in order, before it does, with their times; see <c>ConntrackReplay</c>.</param>
    /// <param name="seen">Told of each connection that enters the table.</param>
    /// <param name="notes">Takes what limits the source's sight, as facts of the source <c>conntrack</c>.</param>
    /// <param name="alive">Told of each connection that a dump shows.</param>
    public ConntrackSource(
        ObservationPoint point, FlowSink sink, HopAccount account, TimeProvider time, ConntrackSourceOptions options, Action<ReadOnlySpan<byte>, long>? tap = null,
        ConntrackSeen? seen = null, NodeNotes? notes = null, ConntrackSeen? alive = null)
    {
        this.time = time;
        this.options = options;
        this.tap = tap;
        tracker = new ConntrackTracker(point, sink, account, seen, alive);
        coverage = new ConntrackCoverage(notes, time, NameOf(options.Namespace));
    }

    /// <summary>What is not as it should be: what, with which consequence, and how to mend it.</summary>
    public IReadOnlyList<string> Warnings => coverage.Warnings;

    /// <summary>Done when events flow and the first dump is merged: from then on nothing is missed. Cancelled if it never comes to that.</summary>
    public Task Started => started.Task;

    /// <summary>Connections in the table, now.</summary>
    public int Connections => tracker.Count;

    /// <summary>
    /// Follows until <paramref name="token"/>, then takes a final dump and writes out what lives. The task is done when the last row is
    /// with the sink.
    /// </summary>
    /// <exception cref="FlowsException">No privilege, no such namespace, or the kernel has no conntrack netlink.</exception>
    public Task RunAsync(CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // A thread made here stands in the network namespace of the caller's thread; one of the pool would not, and must not be moved to another.
        var thread = new Thread(() =>
        {
            try
            {
                Run(token);
                done.SetResult();
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
            finally
            {
                started.TrySetCanceled(CancellationToken.None);
            }
        })
        { IsBackground = true, Name = "conntrack" };
        thread.Start();
        return done.Task;
    }

    /// <summary>What <c>ip netns</c> calls it, or the whole path of a process's.</summary>
    private static string NameOf(string? space) => space is null ? "" : Path.GetFileName(space) is "net" or "" ? space : Path.GetFileName(space);

    private void Run(CancellationToken token)
    {
        if (options.Namespace is { } space)
        {
            NetworkNamespace.Enter(space);
        }

        using var loop = new ConntrackLoop(tracker, coverage, time, options, tap, () => started.TrySetResult());
        loop.Run(token);
    }
}
