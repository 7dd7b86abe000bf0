using System.ComponentModel;
using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Capture.Conntrack;

/// <summary>What one attempt to receive gave.</summary>
internal enum NetlinkReceive
{
    /// <summary>A whole datagram is in the buffer.</summary>
    Datagram,

    /// <summary>Nothing waits.</summary>
    Empty,

    /// <summary>The kernel could not queue messages for us (ENOBUFS). The socket goes on; <see cref="NetlinkSocket.Drops"/> says how many.</summary>
    Overrun,

    /// <summary>The datagram was longer than the buffer: its rest is gone.</summary>
    Truncated,
}

/// <summary>
/// A raw NETLINK_NETFILTER socket in the network namespace of the thread that opens it. Not thread safe.
/// .NET has no address family for netlink, so it is opened by system call.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    // SK_MEMINFO_DROPS, the ninth of the u32 that SO_MEMINFO fills (linux/sock_diag.h).
    private const int MeminfoDrops = 8;
    private const int MeminfoCount = 9;

    private readonly int fd;
    private uint dropsBefore;
    private bool closed;

    private NetlinkSocket(int fd) => this.fd = fd;

    /// <summary>Bytes of kernel memory that may wait for us, as the kernel granted them: it doubles what is asked, and shows the double (socket(7)).</summary>
    public int ReceiveBufferBytes => GetInt32(NetlinkNative.SolSocket, NetlinkNative.SoRcvbuf) / 2;

    /// <summary>Opens a socket that takes the multicast <paramref name="groups"/> (bit n - 1 = group n; 0 for requests only).</summary>
    /// <exception cref="FlowsException">No privilege, or the kernel has no nfnetlink.</exception>
    public static NetlinkSocket Open(uint groups, int receiveBufferBytes)
    {
        var fd = NetlinkNative.Socket(
            NetlinkNative.AfNetlink, NetlinkNative.SockRaw | NetlinkNative.SockCloexec, NetlinkNative.NetlinkNetfilter);
        if (fd < 0)
        {
            throw Failure("open a netfilter netlink socket", Marshal.GetLastPInvokeError());
        }

        var socket = new NetlinkSocket(fd);
        try
        {
            socket.GrowReceiveBuffer(receiveBufferBytes);
            if (groups != 0)
            {
                socket.KeepEnds(true);
            }

            var address = new NetlinkNative.SockaddrNl { Family = NetlinkNative.AfNetlink, Groups = groups };
            if (NetlinkNative.Bind(fd, &address, (uint)sizeof(NetlinkNative.SockaddrNl)) != 0)
            {
                throw Failure("subscribe to conntrack events", Marshal.GetLastPInvokeError());
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An error that says what could not be done and how to mend it.</summary>
    public static FlowsException Failure(string what, int errno) => errno switch
    {
        NetlinkNative.Eperm or NetlinkNative.Eacces => new(ExitCode.Failed, $"Cannot {what}: it needs CAP_NET_ADMIN; run as root or grant the capability."),
        NetlinkNative.Eprotonosupport or NetlinkNative.Eafnosupport => new(
            ExitCode.Failed, $"Cannot {what}: this kernel offers no nfnetlink; load it with 'modprobe nf_conntrack_netlink'."),
        _ => new(ExitCode.Failed, $"Cannot {what}: {new Win32Exception(errno).Message} (errno {errno}); check that the module nf_conntrack_netlink is loaded."),
    };

    /// <summary>Waits until either socket has something, at most <paramref name="timeoutMs"/>.</summary>
    public static void Wait(NetlinkSocket first, NetlinkSocket second, int timeoutMs)
    {
        var fds = stackalloc NetlinkNative.PollFd[2];
        fds[0] = new NetlinkNative.PollFd { Fd = first.fd, Events = NetlinkNative.PollIn };
        fds[1] = new NetlinkNative.PollFd { Fd = second.fd, Events = NetlinkNative.PollIn };

        // An error here shows at the next receive; a signal only means to look sooner.
        _ = NetlinkNative.Poll(fds, 2, timeoutMs);
    }

    /// <summary>Lets datagrams gather.</summary>
    public static void Nap(int milliseconds) => _ = NetlinkNative.Poll(null, 0, milliseconds);

    /// <summary>Takes one datagram if one waits; never blocks.</summary>
    /// <exception cref="FlowsException">The socket itself failed.</exception>
    public NetlinkReceive TryReceive(Span<byte> buffer, out int length)
    {
        length = 0;
        nint got;
        fixed (byte* pointer = buffer)
        {
            got = NetlinkNative.Receive(fd, pointer, (nuint)buffer.Length, NetlinkNative.MsgDontwait | NetlinkNative.MsgTrunc);
        }

        if (got >= 0)
        {
            // With MSG_TRUNC the kernel returns the true length, which may exceed the buffer.
            length = (int)Math.Min(got, buffer.Length);
            return got > buffer.Length ? NetlinkReceive.Truncated : NetlinkReceive.Datagram;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            NetlinkNative.Eagain or NetlinkNative.Eintr => NetlinkReceive.Empty,
            NetlinkNative.Enobufs => NetlinkReceive.Overrun,
            var errno => throw Failure("receive from the netfilter netlink socket", errno),
        };
    }

    /// <summary>
    /// Takes as many datagrams as wait and <paramref name="vector"/> has room for; never blocks. True when there was at least one. After an
    /// <paramref name="overrun"/> more may wait.
    /// </summary>
    /// <exception cref="FlowsException">The socket itself failed.</exception>
    public bool TryReceive(NetlinkVector vector, out bool overrun)
    {
        overrun = false;
        vector.Count = 0;
        var got = NetlinkNative.ReceiveMany(fd, vector.Slots, NetlinkVector.Length, NetlinkNative.MsgDontwait, null);
        if (got > 0)
        {
            vector.Count = got;
            return true;
        }

        var errno = got == 0 ? NetlinkNative.Eagain : Marshal.GetLastPInvokeError();
        overrun = errno == NetlinkNative.Enobufs;
        return errno is NetlinkNative.Eagain or NetlinkNative.Eintr or NetlinkNative.Enobufs
            ? false
            : throw Failure("receive from the netfilter netlink socket", errno);
    }

    /// <summary>
    /// Whether the kernel keeps a DESTROY that did not fit and sends it again: it alone carries the counters. The price is that entries which ended stay in
    /// the kernel's table until we read.
    /// </summary>
    public void KeepEnds(bool keep) => SetInt32(NetlinkNative.SolNetlink, NetlinkNative.NetlinkBroadcastError, keep ? 1 : 0);

    /// <summary>Sends one or more requests.</summary>
    /// <exception cref="FlowsException">The kernel refused the message as a whole.</exception>
    public void Send(ReadOnlySpan<byte> requests)
    {
        nint sent;
        fixed (byte* pointer = requests)
        {
            sent = NetlinkNative.Send(fd, pointer, (nuint)requests.Length, 0);
        }

        if (sent != requests.Length)
        {
            throw Failure("ask conntrack for its entries", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>How many messages the kernel dropped on this socket since the last call: exact, unlike the number of ENOBUFS.</summary>
    public long Drops()
    {
        var meminfo = stackalloc uint[MeminfoCount];
        var length = (uint)(MeminfoCount * sizeof(uint));
        if (NetlinkNative.GetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoMeminfo, meminfo, &length) != 0)
        {
            return 0;
        }

        // The kernel's counter is 32 bits wide; unsigned subtraction follows it over its wrap.
        var drops = unchecked(meminfo[MeminfoDrops] - dropsBefore);
        dropsBefore = meminfo[MeminfoDrops];
        return drops;
    }

    public void Dispose()
    {
        if (!closed)
        {
            closed = true;
            _ = NetlinkNative.Close(fd);
        }
    }

    private void GrowReceiveBuffer(int bytes)
    {
        // FORCE passes net.core.rmem_max but needs CAP_NET_ADMIN in the initial user namespace; the plain option takes what is allowed.
        if (!SetInt32(NetlinkNative.SolSocket, NetlinkNative.SoRcvbufForce, bytes))
        {
            SetInt32(NetlinkNative.SolSocket, NetlinkNative.SoRcvbuf, bytes);
        }
    }

    private bool SetInt32(int level, int name, int value) => NetlinkNative.SetOption(fd, level, name, &value, sizeof(int)) == 0;

    private int GetInt32(int level, int name)
    {
        var value = 0;
        var length = (uint)sizeof(int);
        return NetlinkNative.GetOption(fd, level, name, &value, &length) == 0 ? value : 0;
    }
}
