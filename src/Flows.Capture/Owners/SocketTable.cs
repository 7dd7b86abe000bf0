using System.ComponentModel;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>Finds the sockets of these tuples; what has none gets the default value.</summary>
internal delegate void SocketLookup(ReadOnlySpan<SocketTuple> asked, Span<DiagSocket> found);

/// <summary>Shows every socket that has an owner; returns how many.</summary>
internal delegate int SocketDump(Action<DiagSocket> take);

/// <summary>The kernel's socket table of one network namespace: that of the thread that makes it. Belongs to one thread at a time.</summary>
internal sealed class SocketTable : IDisposable
{
    /// <summary>Tuples in one look-up. 96 answers of some 2 KB of socket memory stay far below the socket's 1 MiB.</summary>
    public const int LookupMax = 96;

    private readonly KernelSocket kernel;
    private readonly byte[] requests = new byte[LookupMax * SockDiag.RequestLength];
    private readonly DiagSocket[] answers = new DiagSocket[LookupMax];
    private readonly byte[] protocols = new byte[LookupMax];
    private readonly KernelAnswer onLookup;
    private readonly KernelAnswer onDump;
    private int waiting;
    private uint turn;
    private byte dumpProtocol;
    private int dumped;
    private bool dumpDone;
    private Action<DiagSocket>? dumpTo;

    private SocketTable(KernelSocket kernel)
    {
        this.kernel = kernel;
        onLookup = OnLookup;
        onDump = OnDump;
    }

    /// <summary>Why the last dump gave nothing (errno); 0 where it was whole.</summary>
    public int DumpError { get; private set; }

    /// <summary>Opens the table; null where the kernel has no sock_diag.</summary>
    public static SocketTable? TryOpen() => KernelSocket.TryOpen(SockDiag.NetlinkFamily) is { } kernel ? new SocketTable(kernel) : null;

    /// <summary>As <see cref="SocketLookup"/>, at most <see cref="LookupMax"/> at once: one system call to ask, one for each 16 answers.</summary>
    public void LookUp(ReadOnlySpan<SocketTuple> asked, Span<DiagSocket> found)
    {
        var length = 0;
        turn++;
        for (var index = 0; index < asked.Length; index++)
        {
            protocols[index] = asked[index].Protocol;
            length += SockDiag.WriteLookup(requests.AsSpan(length), Sequence(index), in asked[index]);
        }

        Array.Clear(answers, 0, asked.Length);
        waiting = asked.Length;
        if (kernel.TrySend(requests.AsSpan(0, length)))
        {
            // The answers lie ready when the call returns; those that did not fit are absent, as if the sockets were gone.
            while (waiting > 0 && kernel.TryReceive(onLookup, out _))
            {
            }
        }

        answers.AsSpan(0, asked.Length).CopyTo(found);
    }

    /// <summary>As <see cref="SocketDump"/>: TCP and UDP of both families.</summary>
    public int Dump(Action<DiagSocket> take) =>
        Dump(SockDiag.Inet, IpProtocol.Tcp, take) + Dump(SockDiag.Inet6, IpProtocol.Tcp, take)
        + Dump(SockDiag.Inet, IpProtocol.Udp, take) + Dump(SockDiag.Inet6, IpProtocol.Udp, take);

    /// <summary>Shows the sockets of one family and protocol; <see cref="DumpError"/> says why there are none.</summary>
    public int Dump(byte family, byte protocol, Action<DiagSocket> take)
    {
        turn++;
        (dumpProtocol, dumped, dumpDone, dumpTo, DumpError) = (protocol, 0, false, take, 0);
        if (!kernel.TrySend(requests.AsSpan(0, SockDiag.WriteDump(requests, Sequence(0), family, protocol, SockDiag.StatesOwned))))
        {
            DumpError = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
            return 0;
        }

        while (!dumpDone && kernel.TryReceive(onDump, out _))
        {
        }

        dumpTo = null;
        return dumped;
    }

    public void Dispose() => kernel.Dispose();

    /// <summary>What an errno means, for people.</summary>
    public static string Describe(int errno) => new Win32Exception(errno).Message;

    /// <summary>Tells the answers of this turn from late ones of another.</summary>
    private uint Sequence(int index) => (turn << 8) | (uint)index;

    private void OnLookup(scoped in NetlinkReader message)
    {
        var index = (int)(message.Sequence & 0xFF);
        if (message.Sequence >> 8 != (turn & 0xFF_FFFF) || index >= LookupMax)
        {
            return;
        }

        waiting--;
        if (message.Type == SockDiag.ByFamily && SockDiag.TryRead(message.Payload, protocols[index], out var socket))
        {
            answers[index] = socket;
        }
    }

    private void OnDump(scoped in NetlinkReader message)
    {
        if (message.Sequence >> 8 != (turn & 0xFF_FFFF))
        {
            return;
        }

        if (message.Type is NlMsg.Done or NlMsg.Error)
        {
            dumpDone = true;
            DumpError = SockDiag.ErrorOf(message.Payload);
        }
        else if (message.Type == SockDiag.ByFamily && SockDiag.TryRead(message.Payload, dumpProtocol, out var socket))
        {
            dumped++;
            dumpTo!(socket);
        }
    }
}
