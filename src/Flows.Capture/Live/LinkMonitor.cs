using System.ComponentModel;
using System.Runtime.InteropServices;
using Flows.Capture.Conntrack;
using Flows.Core;

namespace Flows.Capture.Live;

/// <summary>
/// Follows the interfaces of the network namespace in which it was opened: a dump at the start, rtnetlink's events from then on, and another
/// dump where events were lost. Keeps those that fit the patterns. One thread owns it.
/// </summary>
internal sealed unsafe class LinkMonitor : IDisposable
{
    private const int NetlinkRoute = 0;
    private const uint GroupLink = 1;

    /// <summary>More interfaces than rings could ever be given to: 128 MiB of rings serve 64.</summary>
    private const int LinksMax = 4096;

    // The kernel fills at most 32 KiB of one read with a dump's messages.
    private const int BufferBytes = 64 << 10;

    // An event is about 1.5 KB and costs twice that; 4 MiB bridge a burst of a thousand. What does not fit makes another dump.
    private const int ReceiveBufferBytes = 4 << 20;

    private readonly InterfacePatterns patterns;
    private readonly Dictionary<int, WatchedLink> links = [];
    private readonly byte[] buffer = new byte[BufferBytes];
    private readonly int fd;
    private uint dumpNo;
    private bool dumping;
    private bool dumpAgain;

    private LinkMonitor(int fd, InterfacePatterns patterns)
    {
        this.fd = fd;
        this.patterns = patterns;
    }

    public int Descriptor => fd;

    /// <summary>The interfaces that fit, by index.</summary>
    public IReadOnlyDictionary<int, WatchedLink> Links => links;

    /// <summary>Interfaces that went away, or no longer fit, since whoever owns this emptied the queue.</summary>
    public Queue<WatchedLink> Gone { get; } = new();

    /// <summary>True once the first dump is complete: then <see cref="Links"/> is what exists.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Something came, went or changed since this was last set to false.</summary>
    public bool HasChanged { get; set; }

    /// <summary>Interfaces that fit but found no place here.</summary>
    public long LeftOut { get; private set; }

    /// <exception cref="FlowsException">The kernel refuses the socket.</exception>
    public static LinkMonitor Open(InterfacePatterns patterns)
    {
        var fd = NetlinkNative.Socket(NetlinkNative.AfNetlink, NetlinkNative.SockRaw | NetlinkNative.SockCloexec, NetlinkRoute);
        if (fd < 0)
        {
            throw Failure("open a route netlink socket", Marshal.GetLastPInvokeError());
        }

        var monitor = new LinkMonitor(fd, patterns);
        var bytes = ReceiveBufferBytes;
        if (NetlinkNative.SetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbufForce, &bytes, sizeof(int)) != 0)
        {
            _ = NetlinkNative.SetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbuf, &bytes, sizeof(int));
        }

        var address = new NetlinkNative.SockaddrNl { Family = NetlinkNative.AfNetlink, Groups = GroupLink };
        if (NetlinkNative.Bind(fd, &address, (uint)sizeof(NetlinkNative.SockaddrNl)) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            monitor.Dispose();
            throw Failure("follow network interfaces", errno);
        }

        return monitor;
    }

    /// <summary>Asks for all interfaces as they are now. The answers come through <see cref="Read"/>.</summary>
    public void Dump(bool withCounters = true)
    {
        if (dumping)
        {
            dumpAgain = true;
            return;
        }

        dumpNo++;
        dumping = true;
        dumpAgain = false;
        Span<byte> request = stackalloc byte[64];
        var length = LinkMessage.WriteDump(request, dumpNo, withCounters);
        fixed (byte* first = request)
        {
            if (NetlinkNative.Send(fd, first, (nuint)length, 0) != length)
            {
                // Busy with another dump of this socket, or out of memory: the next turn asks again.
                dumping = false;
                dumpAgain = true;
            }
        }
    }

    /// <summary>Asks again even if an earlier answer never ended.</summary>
    public void Refresh()
    {
        dumping = false;
        Dump();
    }

    /// <summary>Takes all that waits; never blocks.</summary>
    /// <exception cref="FlowsException">The socket itself failed.</exception>
    public void Read()
    {
        while (true)
        {
            nint got;
            fixed (byte* first = buffer)
            {
                got = NetlinkNative.Receive(fd, first, BufferBytes, NetlinkNative.MsgDontwait | NetlinkNative.MsgTrunc);
            }

            if (got >= 0)
            {
                OnDatagram(buffer.AsSpan(0, (int)Math.Min(got, BufferBytes)));
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case NetlinkNative.Enobufs:
                    dumpAgain = true;
                    continue;
                case NetlinkNative.Eagain or NetlinkNative.Eintr:
                    if (dumpAgain && !dumping)
                    {
                        Dump();
                    }

                    return;
                default:
                    throw Failure("follow network interfaces", Marshal.GetLastPInvokeError());
            }
        }
    }

    public void Dispose() => _ = NetlinkNative.Close(fd);

    private static FlowsException Failure(string what, int errno) => new(ExitCode.Failed, $"Cannot {what}: {new Win32Exception(errno).Message} (errno {errno}).");

    private void OnDatagram(ReadOnlySpan<byte> datagram)
    {
        var netlink = new NetlinkReader(datagram);
        while (netlink.Next() && !netlink.Malformed)
        {
            var isOurs = netlink.Sequence == dumpNo && dumping;
            if (isOurs && (netlink.Flags & NlMsg.FlagDumpInterrupted) != 0)
            {
                dumpAgain = true;
            }

            if (isOurs && netlink.Type is NlMsg.Done or NlMsg.Error)
            {
                EndDump(netlink.Type == NlMsg.Done);
            }
            else if (LinkMessage.TryParse(netlink.Type, netlink.Payload, out var message))
            {
                OnLink(in message);
            }
        }
    }

    private void EndDump(bool whole)
    {
        dumping = false;
        dumpAgain |= !whole;
        if (dumpAgain)
        {
            return;
        }

        IsComplete = true;
        foreach (var link in links.Values)
        {
            if (link.DumpNo != dumpNo)
            {
                Forget(link);
            }
        }
    }

    private void OnLink(in LinkMessage message)
    {
        links.TryGetValue(message.Index, out var link);
        var pattern = message.IsGone ? -1 : patterns.Match(message.Name);
        if (pattern < 0)
        {
            if (link is not null)
            {
                Forget(link);
            }

            return;
        }

        if (link is null)
        {
            if (links.Count == LinksMax)
            {
                LeftOut++;
                return;
            }

            link = new WatchedLink(message.Index);
            links.Add(message.Index, link);
        }

        HasChanged |= link.Name != message.Name || link.IsUp != message.IsUp;
        link.Name = message.Name;
        link.IsUp = message.IsUp;
        link.Pattern = pattern;
        link.DumpNo = dumpNo;
        if (message.Counters.AreKnown)
        {
            link.CountersBefore = link.Counters.AreKnown ? link.CountersBefore : message.Counters;
            link.Counters = message.Counters;
        }
    }

    private void Forget(WatchedLink link)
    {
        links.Remove(link.Index);
        Gone.Enqueue(link);
        HasChanged = true;
    }
}
