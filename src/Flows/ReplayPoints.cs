using Flows.Capture;
using Flows.Capture.Files;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Capture.Recording;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows;

/// <summary>
/// The observation points of capture files, found as their packets come. An interface named <c>node/source</c>, as recordings have
/// them, belongs to that node; any other to the node that was given. Netlink interfaces go to a conntrack tracker each, packets of one node
/// to one packet tracker. The rows of each node travel in batches of their own, as they would from its collector.
/// </summary>
/// <param name="node">The node of interfaces that name none.</param>
/// <param name="scope">The address scope of all.</param>
/// <param name="laneOf">Opens the way of a node's rows to the store; called once for each.</param>
/// <param name="names">Learns names of each node; null where nobody asked for them.</param>
internal sealed class ReplayPoints(string node, string scope, Func<string, FlowSink> laneOf, ReplayNames? names = null)
{
    private readonly Dictionary<string, FlowSink> lanes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PacketTracker> packets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConntrackReplay> netlink = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte> observers = new(StringComparer.Ordinal);
    private long connections;
    private string lastName = "\0";
    private PacketTracker? lastTracker;
    private byte lastObserver;

    /// <summary>The hop <c>packets</c> of all files together.</summary>
    public HopAccount Packets { get; } = PacketTracker.NewAccount();

    /// <summary>The hop <c>conntrack</c>, where a file held netlink messages; else null.</summary>
    public HopAccount? Events { get; private set; }

    /// <summary>Connections in the rows so far: each has one first window.</summary>
    public long Connections => connections;

    public void Take(in CapturedPacket packet)
    {
        if (packet.LinkType == LinkType.Netlink)
        {
            NetlinkOf(packet.InterfaceName).OnPacket(packet.Data, packet.TimestampUs);
            return;
        }

        var tracker = TrackerOf(packet.InterfaceName, out var observer);
        tracker.Track(packet.Data, packet.LinkType, packet.WireLength, packet.TimestampUs, observer);
    }

    /// <summary>Writes out what still lives.</summary>
    public void Complete()
    {
        foreach (var replay in netlink.Values)
        {
            replay.Complete();
        }

        foreach (var tracker in packets.Values)
        {
            tracker.Finish();
        }
    }

    private PacketTracker TrackerOf(string interfaceName, out byte observer)
    {
        // Files have one interface mostly, and this is once per packet.
        if (lastTracker is not null && ReferenceEquals(interfaceName, lastName))
        {
            observer = lastObserver;
            return lastTracker;
        }

        var at = NodeOf(interfaceName);
        if (!packets.TryGetValue(at, out var tracker))
        {
            var table = new FlowTable(new ObservationPoint(at, scope), FlowSource.File, new FlowTableOptions(), SinkOf(at));
            tracker = new PacketTracker(table, Packets, names?.ObserverOf(at));
            packets.Add(at, tracker);
        }

        observer = ObserverOf(interfaceName);
        (lastName, lastTracker, lastObserver) = (interfaceName, tracker, observer);
        return tracker;
    }

    /// <summary>Interfaces of one node may show the same packet: each is an observer of its own, by its name, since files may be joined.</summary>
    private byte ObserverOf(string interfaceName)
    {
        if (!observers.TryGetValue(interfaceName, out var observer))
        {
            // Beyond 255 interfaces numbers repeat: two that share one and a flow count it twice.
            observer = (byte)((observers.Count % byte.MaxValue) + 1);
            observers.Add(interfaceName, observer);
        }

        return observer;
    }

    private ConntrackReplay NetlinkOf(string interfaceName)
    {
        if (!netlink.TryGetValue(interfaceName, out var replay))
        {
            Events ??= new HopAccount("conntrack", "events");
            var at = NodeOf(interfaceName);
            replay = new ConntrackReplay(new ObservationPoint(at, scope), SinkOf(at), Events);
            netlink.Add(interfaceName, replay);
        }

        return replay;
    }

    private string NodeOf(string interfaceName)
    {
        var slash = interfaceName.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 ? interfaceName[..slash] : node;
    }

    private FlowSink SinkOf(string at)
    {
        if (!lanes.TryGetValue(at, out var lane))
        {
            lane = laneOf(at);
            lanes.Add(at, lane);
        }

        return (in FlowRow row) =>
        {
            connections += row.WindowNo == 0 ? 1 : 0;
            lane(in row);
        };
    }
}
