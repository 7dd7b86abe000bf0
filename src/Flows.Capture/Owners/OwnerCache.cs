using System.Security.Cryptography;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>
/// What was found for connections and for listeners, until their rows are written. Bounded, thread safe, and without allocation once made: a
/// new connection takes the place of the one in its set of eight that was not looked at for longest.
/// </summary>
internal sealed class OwnerCache
{
    private const int Ways = 8;

    // A row is written at most an active timeout, 60 s, after its connection began: 131,072 last for 2,000 local connections a second. 72 bytes
    // each, 9 MB at most, and memory that was never used is never touched.
    private const int SetsDefault = 16_384;

    // Listening addresses and ports in use at once. Ten times what a busy node has; beyond it all are asked for again.
    private const int ListenersMax = 8192;

    private readonly Lock gate = new();
    private readonly ulong seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly Entry[] entries;
    private readonly int sets;
    private readonly Dictionary<(NetAddress Address, uint PortAndProtocol), Listener> listeners = [];
    private uint clock;

    /// <param name="sets">Sets of eight connections; a power of two.</param>
    public OwnerCache(int sets = SetsDefault)
    {
        this.sets = sets;
        entries = new Entry[sets * Ways];
    }

    public int Capacity => entries.Length;

    public int Listeners
    {
        get
        {
            lock (gate)
            {
                return listeners.Count;
            }
        }
    }

    /// <summary>Replaces what is known of a connection: it is a new one.</summary>
    public void Put(in OwnerFlowKey key, FlowEnds ends)
    {
        lock (gate)
        {
            Place(in key).Ends = ends;
        }
    }

    /// <summary>Adds what is known now; an end that is not known stays as it was.</summary>
    public void Merge(in OwnerFlowKey key, FlowEnds ends)
    {
        lock (gate)
        {
            ref var entry = ref Place(in key);
            entry.Ends = new(ends.Low.IsKnown ? ends.Low : entry.Ends.Low, ends.High.IsKnown ? ends.High : entry.Ends.High);
        }
    }

    /// <summary>False where the connection was never asked about, or made room. Its ends may still be unknown.</summary>
    public bool TryGet(in OwnerFlowKey key, out FlowEnds ends)
    {
        lock (gate)
        {
            var set = entries.AsSpan(SetOf(in key), Ways);
            foreach (ref var entry in set)
            {
                if (entry.Used != 0 && entry.Key == key)
                {
                    entry.Used = Tick();
                    ends = entry.Ends;
                    return true;
                }
            }
        }

        ends = default;
        return false;
    }

    /// <summary>Remembers the listener, or with an unknown end that there is none.</summary>
    public void PutListener(NetAddress address, ushort port, byte protocol, SocketEnd end, long timestamp)
    {
        lock (gate)
        {
            if (listeners.Count >= ListenersMax)
            {
                listeners.Clear();
            }

            listeners[(address, ((uint)port << 8) | protocol)] = new(end, timestamp);
        }
    }

    /// <summary>False where it was not asked for since <paramref name="notBefore"/>. The end is unknown where there is no listener.</summary>
    public bool TryListener(NetAddress address, ushort port, byte protocol, long notBefore, out SocketEnd end)
    {
        lock (gate)
        {
            var found = listeners.TryGetValue((address, ((uint)port << 8) | protocol), out var listener) && listener.At >= notBefore;
            end = found ? listener.End : default;
            return found;
        }
    }

    private int SetOf(in OwnerFlowKey key) => (int)(key.Hash(seed) & (ulong)(sets - 1)) * Ways;

    /// <summary>The key's entry, or one made for it in the place that was used least recently.</summary>
    private ref Entry Place(in OwnerFlowKey key)
    {
        var set = entries.AsSpan(SetOf(in key), Ways);
        var oldest = 0;
        for (var way = 0; way < Ways; way++)
        {
            if (set[way].Used != 0 && set[way].Key == key)
            {
                set[way].Used = Tick();
                return ref set[way];
            }

            oldest = set[way].Used < set[oldest].Used ? way : oldest;
        }

        set[oldest] = new Entry { Key = key, Used = Tick() };
        return ref set[oldest];
    }

    private uint Tick()
    {
        // Over the wrap, once in days, the order within a set is wrong for a while; 0 stands for "empty".
        clock = clock == uint.MaxValue ? 1 : clock + 1;
        return clock;
    }

    private struct Entry
    {
        public OwnerFlowKey Key;
        public FlowEnds Ends;
        public uint Used;
    }

    private readonly record struct Listener(SocketEnd End, long At);
}
