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
/// to one packet tracker.
/// </summary>
internal sealed class ReplayPoints(string node, string scope, FlowSink sink)
{
    private readonly Dictionary<string, PacketTracker> packets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConntrackReplay> netlink = new(StringComparer.Ordinal);
    private readonly HashSet<ulong> connections = [];
    private string lastName = "\0";
    private PacketTracker? lastTracker;

    /// <summary>The hop <c>packets</c> of all files together.</summary>
    public HopAccount Packets { get; } = PacketTracker.NewAccount();

    /// <summary>The hop <c>conntrack</c>, where a file held netlink messages; else null.</summary>
    public HopAccount? Events { get; private set; }

    /// <summary>Distinct connections in the rows so far.</summary>
    public long Connections => connections.Count;

    public void Take(in CapturedPacket packet)
    {
        if (packet.LinkType == LinkType.Netlink)
        {
            NetlinkOf(packet.InterfaceName).OnPacket(packet.Data, packet.TimestampUs);
            return;
        }

        TrackerOf(packet.InterfaceName).Track(packet.Data, packet.LinkType, packet.WireLength, packet.TimestampUs);
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

    private PacketTracker TrackerOf(string interfaceName)
    {
        // Files have one interface mostly, and this is once per packet.
        if (lastTracker is not null && ReferenceEquals(interfaceName, lastName))
        {
            return lastTracker;
        }

        var at = NodeOf(interfaceName);
        if (!packets.TryGetValue(at, out var tracker))
        {
            tracker = new PacketTracker(new FlowTable(new ObservationPoint(at, scope), FlowSource.File, new FlowTableOptions(), Remember), Packets);
            packets.Add(at, tracker);
        }

        (lastName, lastTracker) = (interfaceName, tracker);
        return tracker;
    }

    private ConntrackReplay NetlinkOf(string interfaceName)
    {
        if (!netlink.TryGetValue(interfaceName, out var replay))
        {
            Events ??= new HopAccount("conntrack", "events");
            replay = new ConntrackReplay(new ObservationPoint(NodeOf(interfaceName), scope), Remember, Events);
            netlink.Add(interfaceName, replay);
        }

        return replay;
    }

    private string NodeOf(string interfaceName)
    {
        var slash = interfaceName.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 ? interfaceName[..slash] : node;
    }

    private void Remember(in FlowRow row)
    {
        if (row.WindowNo == 0)
        {
            connections.Add(row.ConnId);
        }

        sink(in row);
    }
}
