using System.Buffers.Binary;
using Flows.Core;

namespace Flows.Capture.Conntrack;

/// <summary>What the source asks of the kernel: one dump at a time, and the counters of connections that ended, 64 to a message.</summary>
internal sealed class ConntrackRequests(NetlinkSocket answers, Action<ConntrackMark> mark, ConntrackSourceOptions options, TimeProvider time)
{
    private const int FetchesPerTurn = 64;

    private static readonly TimeSpan RepairGap = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DumpSilenceMax = TimeSpan.FromSeconds(10);

    // Without events dumps are all there is. They take at most a tenth of the time, and the kernel's own as much again.
    private static readonly TimeSpan EventlessGap = TimeSpan.FromSeconds(2);
    private const int EventlessShare = 10;

    private readonly byte[] buffer = new byte[FetchesPerTurn * ConntrackQuery.LengthMax];
    private uint sequence;
    private uint dumpSequence;
    private bool interrupted;
    private long heardAt;
    private long begunAt;
    private TimeSpan took;

    /// <summary>The dump under way, or the last one.</summary>
    public ConntrackDump Dump { get; private set; }

    public bool IsDumping => dumpSequence != 0;

    /// <summary>Something was asked whose answer may still wait.</summary>
    public bool AnswersMayWait { get; private set; }

    /// <summary>Events were lost: a dump must show what is still there.</summary>
    public bool RepairWanted { get; set; }

    public void Begin(ConntrackDump why)
    {
        Dump = why;
        interrupted = false;
        begunAt = heardAt = time.GetTimestamp();
        dumpSequence = NextSequence();
        mark(new ConntrackMark(ConntrackMarkKind.DumpBegin, (ulong)why));
        Send(ConntrackQuery.WriteDump(buffer, dumpSequence));
    }

    /// <summary>Begins the dump that is due, if one is.</summary>
    public void Choose(bool stopping, bool eventsAreOff)
    {
        var age = time.GetElapsedTime(begunAt);
        if (Dump == ConntrackDump.Final)
        {
            return;
        }

        if (stopping)
        {
            Begin(ConntrackDump.Final);
        }
        else if (RepairWanted && age >= RepairGap + took)
        {
            RepairWanted = false;
            Begin(ConntrackDump.Repair);
        }
        else if (age >= options.ActiveTimeout || (eventsAreOff && age >= EventlessGap + (took * EventlessShare)))
        {
            Begin(ConntrackDump.Periodic);
        }
    }

    /// <summary>Asks for the counters of connections that ended. True when there were any.</summary>
    public bool SendFetches(ConntrackTracker tracker)
    {
        var length = 0;
        for (var count = 0; count < FetchesPerTurn && tracker.TryTakeFetch(out var fetch); count++)
        {
            length += ConntrackQuery.WriteGet(buffer.AsSpan(length), NextSequence(), fetch.Key);
        }

        if (length != 0)
        {
            Send(length);
        }

        return length != 0;
    }

    /// <summary>Looks whether a datagram of answers ends the dump. True when it does.</summary>
    /// <exception cref="FlowsException">The kernel refuses the first dump.</exception>
    public bool Follow(ReadOnlySpan<byte> datagram)
    {
        var netlink = new NetlinkReader(datagram);
        while (IsDumping && netlink.Next())
        {
            if (netlink.Malformed || netlink.Sequence != dumpSequence)
            {
                continue;
            }

            heardAt = time.GetTimestamp();
            interrupted |= (netlink.Flags & NlMsg.FlagDumpInterrupted) != 0;
            if (netlink.Type == NlMsg.Done)
            {
                return End(complete: true);
            }

            if (netlink.Type == NlMsg.Error)
            {
                if (Dump == ConntrackDump.Initial)
                {
                    var errno = netlink.Payload.Length < sizeof(int) ? 0 : -BinaryPrimitives.ReadInt32LittleEndian(netlink.Payload);
                    throw NetlinkSocket.Failure("dump the conntrack entries", errno);
                }

                return End(complete: false);
            }
        }

        return false;
    }

    /// <summary>No answer waits. True when that ends a dump which has been silent for too long.</summary>
    public bool OnSilence()
    {
        AnswersMayWait = IsDumping;
        return IsDumping && time.GetElapsedTime(heardAt) > DumpSilenceMax && End(complete: false);
    }

    private bool End(bool complete)
    {
        dumpSequence = 0;
        took = time.GetElapsedTime(begunAt);
        mark(new ConntrackMark(ConntrackMarkKind.DumpEnd, complete && !interrupted ? 1UL : 0));
        return true;
    }

    private void Send(int length)
    {
        AnswersMayWait = true;
        answers.Send(buffer.AsSpan(0, length));
    }

    private uint NextSequence()
    {
        // 0 stands for "an event".
        sequence = sequence == uint.MaxValue ? 1 : sequence + 1;
        return sequence;
    }
}
