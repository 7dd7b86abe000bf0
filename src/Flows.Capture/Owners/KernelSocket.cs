using System.Runtime.InteropServices;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Owners;

/// <summary>Takes one netlink message of an answer.</summary>
internal delegate void KernelAnswer(scoped in NetlinkReader message);

/// <summary>
/// A netlink socket for questions that the kernel answers at once: when sending returns, the answers wait (a dump's next part when the
/// last was read). It stands in the network namespace of the thread that opens it. Not thread safe; allocates nothing per question.
/// </summary>
internal sealed unsafe class KernelSocket : IDisposable
{
    // One datagram answers one lookup in some 300 bytes; of a dump it holds as much as fits, at most 32 KiB (netlink_recvmsg).
    private const int SlotBytes = 32 << 10;
    private const int Slots = 16;

    // Room for the answers to one batch of lookups; each costs some 2 KB of socket memory.
    private const int ReceiveBufferBytes = 1 << 20;
    private const int NetlinkCapAck = 10;

    private readonly int fd;
    private readonly byte* memory;
    private readonly NetlinkNative.MessageSlot* messages;
    private bool closed;

    private KernelSocket(int fd)
    {
        this.fd = fd;
        memory = (byte*)NativeMemory.Alloc(SlotBytes * Slots);
        messages = (NetlinkNative.MessageSlot*)NativeMemory.AllocZeroed(Slots, (nuint)(sizeof(NetlinkNative.MessageSlot) + sizeof(NetlinkNative.IoVector)));
        var vectors = (NetlinkNative.IoVector*)(messages + Slots);
        for (var slot = 0; slot < Slots; slot++)
        {
            vectors[slot] = new NetlinkNative.IoVector { Base = memory + (slot * SlotBytes), Length = SlotBytes };
            messages[slot].Header.Vectors = vectors + slot;
            messages[slot].Header.VectorCount = 1;
        }
    }

    /// <summary>Opens a socket of this netlink family that takes the multicast <paramref name="groups"/>; null where the kernel refuses.</summary>
    public static KernelSocket? TryOpen(int family, uint groups = 0)
    {
        var fd = NetlinkNative.Socket(NetlinkNative.AfNetlink, NetlinkNative.SockRaw | NetlinkNative.SockCloexec, family);
        if (fd < 0)
        {
            return null;
        }

        var socket = new KernelSocket(fd);
        var bytes = ReceiveBufferBytes;
        var on = 1;
        _ = NetlinkNative.SetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbufForce, &bytes, sizeof(int));

        // An error then comes without a copy of the question.
        _ = NetlinkNative.SetOption(fd, NetlinkNative.SolNetlink, NetlinkCapAck, &on, sizeof(int));
        var address = new NetlinkNative.SockaddrNl { Family = NetlinkNative.AfNetlink, Groups = groups };
        if (NetlinkNative.Bind(fd, &address, (uint)sizeof(NetlinkNative.SockaddrNl)) != 0)
        {
            socket.Dispose();
            return null;
        }

        return socket;
    }

    /// <summary>Sends one datagram of one or more requests; false where the kernel would not take it.</summary>
    public bool TrySend(ReadOnlySpan<byte> requests)
    {
        fixed (byte* pointer = requests)
        {
            return NetlinkNative.Send(fd, pointer, (nuint)requests.Length, 0) == requests.Length;
        }
    }

    /// <summary>Hands over the messages that wait, at most one turn of them. False where none waited.</summary>
    /// <param name="take">Gets each message, in order.</param>
    /// <param name="lost">Messages that the kernel could not keep for us, or that did not fit.</param>
    public bool TryReceive(KernelAnswer take, out bool lost)
    {
        lost = false;
        var count = NetlinkNative.ReceiveMany(fd, messages, Slots, NetlinkNative.MsgDontwait, null);
        if (count < 0)
        {
            lost = Marshal.GetLastPInvokeError() == NetlinkNative.Enobufs;
            return lost;
        }

        for (var slot = 0; slot < count; slot++)
        {
            lost |= (messages[slot].Header.Flags & NetlinkNative.MsgTrunc) != 0;
            var netlink = new NetlinkReader(new ReadOnlySpan<byte>(memory + (slot * SlotBytes), (int)Math.Min(messages[slot].Length, SlotBytes)));
            while (netlink.Next() && !netlink.Malformed)
            {
                take(in netlink);
            }
        }

        return count > 0;
    }

    public void Dispose()
    {
        if (!closed)
        {
            closed = true;
            _ = NetlinkNative.Close(fd);
            NativeMemory.Free(messages);
            NativeMemory.Free(memory);
        }
    }
}
