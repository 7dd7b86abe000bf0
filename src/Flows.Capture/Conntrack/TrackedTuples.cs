using System.Security.Cryptography;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Remembers between which ends conntrack has seen connections, for a while beyond their end: a packet row is written later than conntrack's own.
/// A table of fixed size: fingerprints of 48 bits in sets of eight, each with its second; a newcomer replaces the oldest of its set. One thread notes, any other
/// may ask.
/// </summary>
/// <param name="time">Gives the seconds.</param>
public sealed class TrackedTuples(TimeProvider time)
{
    /// <summary>
    /// A dump shows a living connection every 60 s. A packet row comes up to 300 s after the last packet, but conntrack keeps what is silent
    /// for that long for 60 s at least.
    /// </summary>
    private const int RememberedSeconds = 300;

    // One cache line of 64 bytes.
    private const int Ways = 8;

    /// <summary>2^17 sets hold 1,048,576 tuples in 8 MiB: twice of what conntrack's own default limit of 262,144 connections can have.</summary>
    private const int Sets = 1 << 17;

    private const int SecondBits = 16;

    private readonly ulong seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly ulong[] slots = new ulong[Sets * Ways];
    private readonly long startedAt = time.GetTimestamp();
    private long displaced;

    /// <summary>Tuples that had to make room while they might still have been asked for: then a packet row may repeat conntrack's.</summary>
    public long Displaced => Interlocked.Read(ref displaced);

    private ushort Second => (ushort)time.GetElapsedTime(startedAt).TotalSeconds;

    /// <summary>Notes both directions of a connection: where addresses are translated they are between different ends.</summary>
    public void Note(in ConntrackTuple orig, in ConntrackTuple reply)
    {
        var second = Second;
        Note(HashOf(orig.Src, orig.Dst, orig.SrcPort, orig.DstPort, orig.Protocol), second);
        if (reply.Src != orig.Dst || reply.Dst != orig.Src || reply.SrcPort != orig.DstPort || reply.DstPort != orig.SrcPort)
        {
            Note(HashOf(reply.Src, reply.Dst, reply.SrcPort, reply.DstPort, reply.Protocol), second);
        }
    }

    /// <summary>True where conntrack saw a connection between the row's ends lately.</summary>
    public bool Contains(in FlowRow row)
    {
        var hash = HashOf(row.Src, row.Dst, row.SrcPort, row.DstPort, row.Protocol);
        var print = PrintOf(hash);
        var second = Second;
        foreach (ref var slot in SetOf(hash))
        {
            var found = Volatile.Read(ref slot);
            if (found >> SecondBits == print)
            {
                return (ushort)(second - (ushort)found) <= RememberedSeconds;
            }
        }

        return false;
    }

    private void Note(ulong hash, ushort second)
    {
        var print = PrintOf(hash);
        ref var oldest = ref SetOf(hash)[0];
        var oldestAge = -1;
        foreach (ref var slot in SetOf(hash))
        {
            var age = slot == 0 ? ushort.MaxValue : (ushort)(second - (ushort)slot);
            if (slot >> SecondBits == print)
            {
                oldest = ref slot;
                oldestAge = ushort.MaxValue;
                break;
            }

            if (age > oldestAge)
            {
                oldest = ref slot;
                oldestAge = age;
            }
        }

        if (oldestAge <= RememberedSeconds)
        {
            Interlocked.Increment(ref displaced);
        }

        Volatile.Write(ref oldest, (print << SecondBits) | second);
    }

    private Span<ulong> SetOf(ulong hash) => slots.AsSpan((int)(hash & (Sets - 1)) * Ways, Ways);

    /// <summary>Never 0, which is an empty slot.</summary>
    private static ulong PrintOf(ulong hash) => Math.Max(hash >> SecondBits, 1);

    /// <summary>The same for both directions. The seed keeps strangers from filling one set.</summary>
    private ulong HashOf(NetAddress src, NetAddress dst, ushort srcPort, ushort dstPort, byte protocol)
    {
        var ends = new DecodedPacket { Src = src, Dst = dst, SrcPort = srcPort, DstPort = dstPort, Protocol = protocol };
        return FlowKey.Of(in ends, out _).Hash(seed);
    }
}
