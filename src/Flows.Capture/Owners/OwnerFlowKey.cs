using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>The addresses and ports of a connection as its initiator dialled it, the lower end first: one key however a source turns it.</summary>
internal readonly record struct OwnerFlowKey(NetAddress Low, NetAddress High, ulong PortsAndProtocol)
{
    /// <summary>The key of a tuple, and whether its source is the lower end.</summary>
    public static OwnerFlowKey Of(NetAddress src, ushort srcPort, NetAddress dst, ushort dstPort, byte protocol, out bool srcIsLow)
    {
        var order = src.CompareTo(dst);
        srcIsLow = order < 0 || (order == 0 && srcPort <= dstPort);
        return srcIsLow
            ? new(src, dst, ((ulong)srcPort << 24) | ((ulong)dstPort << 8) | protocol)
            : new(dst, src, ((ulong)dstPort << 24) | ((ulong)srcPort << 8) | protocol);
    }

    public static OwnerFlowKey Of(in ConntrackTuple tuple, out bool srcIsLow) =>
        Of(tuple.Src, tuple.SrcPort, tuple.Dst, tuple.DstPort, tuple.Protocol, out srcIsLow);

    /// <summary>A hash under a seed, so that strangers cannot choose connections that push each other out.</summary>
    public ulong Hash(ulong seed) =>
        Mix.Fold(Mix.Fold(Low.Low ^ seed, High.Low ^ PortsAndProtocol) ^ Low.High, High.High ^ seed);
}

/// <summary>The socket at one end of a connection: its owner's place in the <see cref="OwnerTable"/> (0 for none known) and its inode.</summary>
internal readonly record struct SocketEnd(int Slot, uint Inode)
{
    public bool IsKnown => Slot != 0;
}

/// <summary>The local sockets of a connection, by the ends of its key.</summary>
internal readonly record struct FlowEnds(SocketEnd Low, SocketEnd High)
{
    public bool IsKnown => Low.IsKnown || High.IsKnown;
}
