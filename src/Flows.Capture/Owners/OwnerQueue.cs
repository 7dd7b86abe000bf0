using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>A connection whose sockets are wanted.</summary>
internal struct OwnerQuestion
{
    public OwnerFlowKey Key;

    /// <summary>The initiator is the lower end of the key.</summary>
    public bool InitiatorIsLow;

    /// <summary>The initiator's socket is here and not known yet: this is its tuple.</summary>
    public bool AsksClient;
    public SocketTuple Client;

    /// <summary>The same of the responder.</summary>
    public bool AsksServer;
    public SocketTuple Server;

    /// <summary>One end is known already: a budget that is spent does not take the connection's owner away.</summary>
    public bool IsHalfKnown;

    public readonly FlowEnds Ends(SocketEnd client, SocketEnd server) => InitiatorIsLow ? new(client, server) : new(server, client);
}

/// <summary>Questions on their way from the sources' threads to the resolver's: bounded, and adding never waits for the resolver's work.</summary>
internal sealed class OwnerQueue(int capacity)
{
    private readonly object gate = new();
    private readonly OwnerQuestion[] ring = new OwnerQuestion[capacity];
    private int first;
    private int count;
    private bool sleeping;
    private bool woken;

    public int Count => Volatile.Read(ref count);

    /// <summary>False where the queue is full.</summary>
    public bool TryAdd(in OwnerQuestion question)
    {
        lock (gate)
        {
            if (count == ring.Length)
            {
                return false;
            }

            ring[(first + count) % ring.Length] = question;
            count++;
            if (sleeping)
            {
                sleeping = false;
                Monitor.Pulse(gate);
            }

            return true;
        }
    }

    /// <summary>Takes what waits, oldest first, as much as fits.</summary>
    public int Take(Span<OwnerQuestion> to)
    {
        lock (gate)
        {
            var taken = Math.Min(count, to.Length);
            for (var index = 0; index < taken; index++)
            {
                to[index] = ring[first];
                first = (first + 1) % ring.Length;
            }

            count -= taken;
            return taken;
        }
    }

    /// <summary>Waits until something was added or <see cref="Wake"/> was called, at most so long.</summary>
    public void Wait(TimeSpan atMost)
    {
        lock (gate)
        {
            if (count == 0 && !woken)
            {
                sleeping = true;
                Monitor.Wait(gate, atMost);
                sleeping = false;
            }

            woken = false;
        }
    }

    public void Wake()
    {
        lock (gate)
        {
            woken = true;
            Monitor.PulseAll(gate);
        }
    }
}
