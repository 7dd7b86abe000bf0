using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>
/// The sources' side of owner resolution: hears of connections as they begin, answers what is known, asks for the rest, and fills in rows.
/// It runs on the sources' threads: no system call, no allocation, no wait for the resolver.
/// </summary>
/// <param name="account">The hop <c>owners</c>, unit <c>flows</c>.</param>
/// <param name="owners">Gives owner ids.</param>
/// <param name="cache">What is known of connections and listeners.</param>
/// <param name="queue">Takes questions.</param>
/// <param name="budget">When it is spent, nothing more is asked.</param>
/// <param name="isLocal">Whether an address is one of this namespace.</param>
/// <param name="processes">Sockets by process; null where processes are not looked at.</param>
/// <param name="listenerAge">How long a listener's owner is taken for granted.</param>
/// <param name="time">Tells a listener's age.</param>
internal sealed class OwnerBook(
    HopAccount account, OwnerTable owners, OwnerCache cache, OwnerQueue queue, CpuBudget budget, Func<NetAddress, bool> isLocal,
    SocketProcesses? processes, TimeSpan listenerAge, TimeProvider time)
{
    private readonly long listenerTicks = (long)(listenerAge.TotalSeconds * time.TimestampFrequency);
    private bool hearsConntrack;

    /// <summary>A connection that conntrack sees.</summary>
    /// <param name="orig">The initiator as it dialled: its socket's own tuple.</param>
    /// <param name="reply">The responder as it answers: its socket's own tuple, after DNAT and SNAT.</param>
    /// <param name="isNew">It begins now, so nothing that is known of its tuple is about it.</param>
    public void OnConntrack(in ConntrackTuple orig, in ConntrackTuple reply, bool isNew)
    {
        Volatile.Write(ref hearsConntrack, true);
        if (orig.Protocol is IpProtocol.Tcp or IpProtocol.Udp)
        {
            var client = new SocketTuple(orig.Src, orig.Dst, orig.SrcPort, orig.DstPort, orig.Protocol);
            Ask(in client, new SocketTuple(reply.Src, reply.Dst, reply.SrcPort, reply.DstPort, orig.Protocol), isNew);
        }
    }

    /// <summary>A connection that a packet opens.</summary>
    public void OnFlow(in FlowKey key, bool initiatorIsLow)
    {
        if (key.Protocol is IpProtocol.Tcp or IpProtocol.Udp)
        {
            var client = initiatorIsLow
                ? new SocketTuple(key.Low, key.High, key.LowPort, key.HighPort, key.Protocol)
                : new SocketTuple(key.High, key.Low, key.HighPort, key.LowPort, key.Protocol);

            // Where conntrack tells of the same connections, it tells which are new; asking twice would cost twice.
            Ask(in client, Turned(in client), isNew: !Volatile.Read(ref hearsConntrack));
        }
    }

    /// <summary>Fills in the owners of a row, as far as they are known, and asks about a connection that goes on without an answer.</summary>
    public void Stamp(ref FlowRow row)
    {
        if (row.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
        {
            return;
        }

        var server = (Address: row.NatDst ?? row.Dst, Port: row.NatDstPort ?? row.DstPort);
        var clientIsLocal = isLocal(row.Src);
        var serverIsLocal = isLocal(server.Address);
        if (!clientIsLocal && !serverIsLocal)
        {
            return;
        }

        var isLasting = row.EndReason == EndReason.Active;
        var (src, dst) = EndsOf(in row, out var isKnown);
        if (serverIsLocal && !dst.IsKnown)
        {
            cache.TryListener(server.Address, server.Port, row.Protocol, long.MinValue, out dst);
        }

        row.SrcOwnerId = IdOf(src, isLasting);
        row.DstOwnerId = IdOf(dst, isLasting);
        if (!isKnown && isLasting)
        {
            var client = new SocketTuple(row.Src, row.Dst, row.SrcPort, row.DstPort, row.Protocol);
            Ask(in client, new SocketTuple(server.Address, row.NatSrc ?? row.Src, server.Port, row.NatSrcPort ?? row.SrcPort, row.Protocol), isNew: false);
        }
    }

    private void Ask(in SocketTuple client, in SocketTuple server, bool isNew)
    {
        account.Seen();
        var clientIsLocal = isLocal(client.Local);
        var serverIsLocal = isLocal(server.Local);
        if (!clientIsLocal && !serverIsLocal)
        {
            account.Dropped(DropReason.NoSocket);
            return;
        }

        // 1. What is known: the connection itself, if it is not a new one, and the listener that it came to.
        var key = OwnerFlowKey.Of(client.Local, client.LocalPort, client.Remote, client.RemotePort, client.Protocol, out var initiatorIsLow);
        if (!isNew && cache.TryGet(in key, out var known) && known.IsKnown)
        {
            account.Forwarded();
            return;
        }

        var question = new OwnerQuestion { Key = key, InitiatorIsLow = initiatorIsLow, AsksClient = clientIsLocal, AsksServer = serverIsLocal };
        SocketEnd listener = default;
        if (serverIsLocal && cache.TryListener(server.Local, server.LocalPort, server.Protocol, time.GetTimestamp() - listenerTicks, out listener) && listener.IsKnown)
        {
            question.AsksServer = false;
            question.IsHalfKnown = true;
        }

        cache.Put(in key, question.Ends(default, listener));

        // 2. The rest is asked for, if there is room and budget.
        if (!question.AsksClient && !question.AsksServer)
        {
            account.Forwarded();
            return;
        }

        question.Client = client;
        question.Server = server;
        if (budget.IsExhausted || !queue.TryAdd(in question))
        {
            GiveUp(in question, budget.IsExhausted ? DropReason.Budget : DropReason.QueueFull);
        }
    }

    /// <summary>Counts a question that gets no answer.</summary>
    internal void GiveUp(in OwnerQuestion question, string reason)
    {
        if (question.IsHalfKnown)
        {
            account.Forwarded();
        }
        else
        {
            account.Dropped(reason);
        }
    }

    /// <summary>The initiator's and the responder's end of a row.</summary>
    private (SocketEnd Src, SocketEnd Dst) EndsOf(in FlowRow row, out bool isKnown)
    {
        var key = OwnerFlowKey.Of(row.Src, row.SrcPort, row.Dst, row.DstPort, row.Protocol, out var srcIsLow);
        isKnown = cache.TryGet(in key, out var ends);
        if (!isKnown && (row.NatDst is not null || row.NatSrc is not null))
        {
            // Conntrack turns what it picked up in mid-life: then its original tuple is the one on the far side of NAT, and runs the other way.
            key = OwnerFlowKey.Of(
                row.NatDst ?? row.Dst, row.NatDstPort ?? row.DstPort, row.NatSrc ?? row.Src, row.NatSrcPort ?? row.SrcPort, row.Protocol, out var dstIsLow);
            isKnown = cache.TryGet(in key, out ends);
            srcIsLow = !dstIsLow;
        }

        return srcIsLow ? (ends.Low, ends.High) : (ends.High, ends.Low);
    }

    private ulong? IdOf(SocketEnd end, bool isLasting)
    {
        if (!end.IsKnown)
        {
            return null;
        }

        var slot = end.Slot;
        if (processes is not null && end.Inode != 0 && processes.TryGet(end.Inode, isLasting, out var better))
        {
            slot = better;
        }

        var id = owners.IdOf(slot);
        return id == 0 ? null : id;
    }

    private static SocketTuple Turned(in SocketTuple tuple) => new(tuple.Remote, tuple.Local, tuple.RemotePort, tuple.LocalPort, tuple.Protocol);
}

/// <summary>Why a connection has no owner.</summary>
internal static class DropReason
{
    /// <summary>Neither end is an address of this namespace: forwarded traffic.</summary>
    public const string NoSocket = "no_socket";

    /// <summary>The socket was gone, or had no owner left, when it was asked for.</summary>
    public const string Gone = "gone";

    public const string QueueFull = "queue_full";

    /// <summary>The processor time for look-ups was spent.</summary>
    public const string Budget = "budget";
}
