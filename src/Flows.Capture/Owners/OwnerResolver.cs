using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>
/// Finds who owns the sockets of connections that begin or end on this node: user, cgroup, and by these systemd unit, container or pod. It looks
/// into the network namespace of the thread that calls <see cref="Start"/>. Two threads of its own: one asks the kernel's socket table at
/// once, for short-lived sockets do not wait; the other finds names, which may take its time.
/// </summary>
public sealed class OwnerResolver : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Paused = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan NamesPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan NamesIdle = TimeSpan.FromSeconds(1);

    private readonly ObservationPoint point;
    private readonly OwnerOptions options;
    private readonly NodeNotes notes;
    private readonly TimeProvider time;
    private readonly OwnerTable owners = new();
    private readonly OwnerCache cache = new();
    private readonly OwnerQueue queue;
    private readonly CpuBudget budget;
    private readonly SocketProcesses? processes;
    private readonly ManualResetEventSlim stop = new();
    private readonly List<Thread> threads = [];
    private OwnerBook? book;
    private OwnerLookup? lookup;
    private SocketTable? sockets;
    private LocalAddresses? addresses;
    private long cpuTicks;

    /// <param name="point">The node whose owners these are.</param>
    /// <param name="options">How to look.</param>
    /// <param name="notes">Gets each new owner, and what can be seen.</param>
    /// <param name="time">Ages, rates and the times of facts.</param>
    public OwnerResolver(ObservationPoint point, OwnerOptions options, NodeNotes notes, TimeProvider time)
    {
        this.point = point;
        this.options = options;
        this.notes = notes;
        this.time = time;
        queue = new OwnerQueue(options.QueueMax);
        budget = new CpuBudget(options.CpuShare, options.CpuBurst, time);
        processes = options.Processes ? new SocketProcesses(owners, time) : null;
        Account = new HopAccount("owners", "flows", () => queue.Count + (lookup?.InHand ?? 0));
    }

    /// <summary>
    /// The hop <c>owners</c>, unit <c>flows</c>: seen = asked about, forwarded = at least one end is attributed, dropped = <c>no_socket</c>
    /// (forwarded traffic), <c>gone</c>, <c>queue_full</c>, <c>budget</c>.
    /// </summary>
    public HopAccount Account { get; }

    /// <summary>Processor time that the look-ups have used.</summary>
    public TimeSpan Cpu => TimeSpan.FromTicks(Interlocked.Read(ref cpuTicks));

    /// <summary>
    /// Learns the sockets that exist, then begins to answer. Call it before the sources run, so that what they find at their start is known. Without
    /// sock_diag it notes so and does nothing more.
    /// </summary>
    public void Start()
    {
        var probe = OwnerProbe.Read();
        foreach (var fact in probe.Coverage(options.Processes, time.NowUs()))
        {
            notes.Note(fact);
        }

        sockets = probe.CanAsk ? SocketTable.TryOpen() : null;
        if (sockets is null)
        {
            return;
        }

        addresses = new LocalAddresses();
        var here = new OwnerBook(Account, owners, cache, queue, budget, addresses.Contains, processes, options.ListenerAge, time);
        lookup = new OwnerLookup(Account, here, owners, cache, queue, sockets.LookUp, sockets.Dump, time);
        lookup.LoadAll();
        var boot = ProcFiles.BootId();
        var tree = new CgroupTree(probe.CgroupMount, OwnerNative.InodeOf, time);
        var names = new OwnerNames(point.Node, boot, owners, tree, processes, notes, time);
        names.Turn();
        Volatile.Write(ref book, here);
        Run("owners", Answer);
        Run("owner names", () => Name(names));
    }

    /// <summary>
    /// Hears of a connection that conntrack tracks in the same network namespace: a <see cref="ConntrackSeen"/>. Does nothing before
    /// <see cref="Start"/>.
    /// </summary>
    /// <param name="orig">The initiator as it dialled: its socket's own tuple.</param>
    /// <param name="reply">The responder as it answers: its socket's own tuple, behind DNAT and SNAT.</param>
    /// <param name="isNew">It begins now; otherwise it was found.</param>
    public void OnConntrack(in ConntrackTuple orig, in ConntrackTuple reply, bool isNew) => Volatile.Read(ref book)?.OnConntrack(in orig, in reply, isNew);

    /// <summary>Hears of the connections that a table of live packets begins.</summary>
    public void Watch(FlowTable table) =>
        table.Opened = (in FlowKey key, bool initiatorIsLow) => Volatile.Read(ref book)?.OnFlow(in key, initiatorIsLow);

    /// <summary>A sink that fills in the owners of each row before it goes on.</summary>
    public FlowSink Stamp(FlowSink next) => new OwnerStamp(() => Volatile.Read(ref book), next).Take;

    /// <summary>Ends both threads. What still waits counts as in flight.</summary>
    public void Dispose()
    {
        stop.Set();
        queue.Wake();
        foreach (var thread in threads)
        {
            thread.Join();
        }

        sockets?.Dispose();
        addresses?.Dispose();
        owners.Dispose();
        stop.Dispose();
    }

    private void Run(string name, Action work)
    {
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception fault)
            {
                // The thread's top. Flows go on without owners, and coverage says so.
                Volatile.Write(ref book, null);
                notes.Note(new CoverageFact("owners", "sockets", CoverageLevel.None, $"Owners are no longer looked up: {fault.Message} Restart the collector.", time.NowUs()));
            }
        })
        { IsBackground = true, Name = name };
        threads.Add(thread);
        thread.Start();
    }

    private void Answer()
    {
        var before = OwnerNative.ThreadCpu();
        var refreshedAt = time.GetTimestamp();
        while (!stop.IsSet)
        {
            var busy = false;
            if (budget.IsExhausted)
            {
                lookup!.Shed();
                queue.Wait(Paused);
            }
            else
            {
                busy = lookup!.Turn();
            }

            if (!busy && !budget.IsExhausted)
            {
                queue.Wait(Idle);
            }

            if (time.GetElapsedTime(refreshedAt) >= Idle)
            {
                addresses!.Refresh();
                refreshedAt = time.GetTimestamp();
            }

            var now = OwnerNative.ThreadCpu();
            budget.Spend(now - before);
            before = now;
            Interlocked.Exchange(ref cpuTicks, now.Ticks);
        }
    }

    private void Name(OwnerNames names)
    {
        WaitHandle[] reasons = [stop.WaitHandle, owners.Unnamed];
        while (!stop.IsSet)
        {
            // A connection of a new owner may end in a millisecond: its row finds the name only if that is quick.
            WaitHandle.WaitAny(reasons, names.Turn() ? NamesPause : NamesIdle);
        }
    }
}
