using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>The resolver's side: takes questions by the batch, asks the kernel's socket table and fills the cache. Belongs to one thread.</summary>
internal sealed class OwnerLookup(
    HopAccount account, OwnerBook book, OwnerTable owners, OwnerCache cache, OwnerQueue queue, SocketLookup lookUp, SocketDump dump, TimeProvider time)
{
    public const int BatchMax = 32;

    /// <summary>A client, a listener and an accepted socket.</summary>
    private const int TuplesPerQuestion = 3;

    // A dump costs per socket about a third of a look-up: with so many waiting, and no more than twice as many sockets, it is the cheaper way.
    private const int DumpAbove = 1024;
    private const int SocketsPerQuestionMax = 2;
    private static readonly TimeSpan DumpGap = TimeSpan.FromSeconds(1);

    private readonly OwnerQuestion[] batch = new OwnerQuestion[BatchMax];
    private readonly SocketTuple[] asked = new SocketTuple[BatchMax * TuplesPerQuestion];
    private readonly DiagSocket[] found = new DiagSocket[BatchMax * TuplesPerQuestion];
    private int sockets;
    private long dumpedAt;
    private int inHand;

    /// <summary>Questions taken and not answered yet.</summary>
    public int InHand => Volatile.Read(ref inHand);

    /// <summary>Dumps taken so far.</summary>
    public int Dumps { get; private set; }

    /// <summary>Answers one batch of questions. False where none waited.</summary>
    public bool Turn()
    {
        if (queue.Count >= DumpAbove && queue.Count >= sockets / SocketsPerQuestionMax && time.GetElapsedTime(dumpedAt) >= DumpGap)
        {
            LoadAll();
        }

        var count = queue.Take(batch);
        Volatile.Write(ref inHand, count);
        var tuples = 0;
        foreach (ref var question in batch.AsSpan(0, count))
        {
            tuples = Prepare(ref question, tuples);
        }

        if (tuples > 0)
        {
            lookUp(asked.AsSpan(0, tuples), found);
        }

        tuples = 0;
        foreach (ref readonly var question in batch.AsSpan(0, count))
        {
            Answer(in question, ref tuples);
        }

        Volatile.Write(ref inHand, 0);
        return count > 0;
    }

    /// <summary>Gives up what waits, for want of budget.</summary>
    public void Shed()
    {
        for (var count = queue.Take(batch); count > 0; count = queue.Take(batch))
        {
            foreach (ref readonly var question in batch.AsSpan(0, count))
            {
                book.GiveUp(in question, DropReason.Budget);
            }
        }
    }

    /// <summary>Learns the owners of all connected sockets from one dump.</summary>
    public void LoadAll()
    {
        sockets = dump(Learn);
        dumpedAt = time.GetTimestamp();
        Dumps++;
    }

    private void Learn(DiagSocket socket)
    {
        // Listeners and unconnected sockets have no remote port; they are looked up when somebody comes to them.
        var tuple = socket.Tuple;
        if (tuple.RemotePort == 0 || EndOf(in socket) is not { IsKnown: true } end)
        {
            return;
        }

        var key = OwnerFlowKey.Of(tuple.Local, tuple.LocalPort, tuple.Remote, tuple.RemotePort, tuple.Protocol, out var localIsLow);
        cache.Merge(in key, localIsLow ? new(end, default) : new(default, end));
    }

    /// <summary>Notes which tuples a question needs, in the order in which <see cref="Answer"/> reads what was found.</summary>
    private int Prepare(ref OwnerQuestion question, int tuples)
    {
        // Since it was asked a dump may have answered it, or another question its listener.
        if (cache.TryGet(in question.Key, out var ends))
        {
            question.AsksClient &= !(question.InitiatorIsLow ? ends.Low : ends.High).IsKnown;
            question.AsksServer &= !(question.InitiatorIsLow ? ends.High : ends.Low).IsKnown;
            question.IsHalfKnown |= ends.IsKnown;
        }

        if (question.AsksClient)
        {
            asked[tuples++] = question.Client;
        }

        if (question.AsksServer)
        {
            var any = question.Server.Local.IsV4 ? NetAddress.FromV4(0) : default;
            asked[tuples++] = question.Server with { Remote = any, RemotePort = 0 };
            asked[tuples++] = question.Server;
        }

        return tuples;
    }

    private void Answer(in OwnerQuestion question, ref int next)
    {
        SocketEnd client = default;
        SocketEnd server = default;
        if (question.AsksClient)
        {
            // Where the client's socket is gone, the kernel goes on to a listener on its port: that is somebody else.
            ref readonly var socket = ref found[next++];
            client = socket.IsListener ? default : EndOf(in socket);
        }

        if (question.AsksServer)
        {
            var listener = EndOf(in found[next]);
            cache.PutListener(question.Server.Local, question.Server.LocalPort, question.Server.Protocol, listener, time.GetTimestamp());
            server = listener.IsKnown ? listener : EndOf(in found[next + 1]);
            next += 2;
        }

        var ends = question.Ends(client, server);
        cache.Merge(in question.Key, ends);
        if (ends.IsKnown)
        {
            account.Forwarded();
        }
        else
        {
            book.GiveUp(in question, DropReason.Gone);
        }
    }

    private SocketEnd EndOf(in DiagSocket socket)
    {
        if (socket.IsMini || (socket.IsOrphan && socket.CgroupId <= CgroupMounts.RootId))
        {
            return default;
        }

        return new SocketEnd(owners.SlotOf(new OwnerKey(socket.CgroupId, socket.Uid, 0)), socket.Inode);
    }
}
