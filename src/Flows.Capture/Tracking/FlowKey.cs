using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Tracking;

/// <summary>
/// The two ends of a connection in a fixed order, so that both directions have one key. Flat: the table hashes it once a packet.
/// </summary>
internal readonly struct FlowKey : IEquatable<FlowKey>
{
    public readonly NetAddress A;
    public readonly NetAddress B;
    public readonly ushort PortA;
    public readonly ushort PortB;
    public readonly byte Protocol;

    private FlowKey(NetAddress a, ushort portA, NetAddress b, ushort portB, byte protocol) =>
        (A, PortA, B, PortB, Protocol) = (a, portA, b, portB, protocol);

    /// <summary>The key of a packet, and whether its sender is the key's A.</summary>
    public static FlowKey Of(in DecodedPacket packet, out bool fromA)
    {
        // An echo's identifier stands for both ports: request and reply carry the same.
        var dstPort = packet.IsIcmp ? packet.SrcPort : packet.DstPort;
        var order = packet.Src.CompareTo(packet.Dst);
        fromA = order < 0 || (order == 0 && packet.SrcPort <= dstPort);
        return fromA
            ? new(packet.Src, packet.SrcPort, packet.Dst, dstPort, packet.Protocol)
            : new(packet.Dst, dstPort, packet.Src, packet.SrcPort, packet.Protocol);
    }

    public bool Equals(FlowKey other) =>
        A.Low == other.A.Low && B.Low == other.B.Low && PortA == other.PortA && PortB == other.PortB
        && Protocol == other.Protocol && A.High == other.A.High && B.High == other.B.High;

    public override bool Equals(object? obj) => obj is FlowKey other && Equals(other);

    public override int GetHashCode()
    {
        // Two odd multipliers (2^64 / golden ratio, and the prime of xxHash) spread neighbours in address and port alike.
        var ends = (A.High ^ B.Low ^ ((ulong)PortA << 48) ^ ((ulong)PortB << 32) ^ Protocol) * 0x9E3779B97F4A7C15;
        var mixed = (ends ^ A.Low ^ (B.High << 1)) * 0xC2B2AE3D27D4EB4F;
        return (int)(mixed ^ (mixed >> 32));
    }
}
