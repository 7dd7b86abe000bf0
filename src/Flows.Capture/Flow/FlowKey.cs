using System.Runtime.CompilerServices;
using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>
/// Addresses, ports and protocol of a flow with the lower end first, so that both directions have one key. A VLAN is not part of
/// it: the same connection seen tagged and untagged is one connection.
/// </summary>
internal readonly struct FlowKey(NetAddress low, NetAddress high, ulong portsAndProtocol) : IEquatable<FlowKey>
{
    public readonly NetAddress Low = low;
    public readonly NetAddress High = high;

    /// <summary>Port of the low end, port of the high end, protocol: 16, 16 and 8 bits.</summary>
    private readonly ulong portsAndProtocol = portsAndProtocol;

    public ushort LowPort => (ushort)(portsAndProtocol >> 24);

    public ushort HighPort => (ushort)(portsAndProtocol >> 8);

    public byte Protocol => (byte)portsAndProtocol;

    /// <summary>The key of a packet, and whether its sender is the low end.</summary>
    public static FlowKey Of(in DecodedPacket packet, out bool fromLow)
    {
        var order = packet.Src.CompareTo(packet.Dst);
        fromLow = order < 0 || (order == 0 && packet.SrcPort <= packet.DstPort);
        return fromLow
            ? new(packet.Src, packet.Dst, Pack(packet.SrcPort, packet.DstPort, packet.Protocol))
            : new(packet.Dst, packet.Src, Pack(packet.DstPort, packet.SrcPort, packet.Protocol));
    }

    /// <summary>A hash under a seed, so that strangers cannot choose packets that share a bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong seed)
    {
        var hash = Mix.Fold(Low.Low ^ seed, High.Low ^ portsAndProtocol);
        return Mix.Fold(hash ^ Low.High, High.High ^ seed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(FlowKey other) =>
        portsAndProtocol == other.portsAndProtocol && Low.Low == other.Low.Low && High.Low == other.High.Low
        && Low.High == other.Low.High && High.High == other.High.High;

    public override bool Equals(object? obj) => obj is FlowKey other && Equals(other);

    public override int GetHashCode() => (int)Hash(0);

    private static ulong Pack(ushort lowPort, ushort highPort, byte protocol) => ((ulong)lowPort << 24) | ((ulong)highPort << 8) | protocol;
}
