using System.Runtime.InteropServices;
using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Traffic;

/// <summary>Puts whole frames onto an interface of the calling thread's network namespace, 64 in one system call, past the queueing discipline.</summary>
internal sealed unsafe partial class FrameSender : IDisposable
{
    private const int PacketFamily = 17, Raw = 3, PacketLevel = 263, QdiscBypass = 20;
    private const int NoBuffers = 105, Again = 11, Interrupted = 4;
    private const int FramesPerCall = 64;

    private readonly int socket;

    public FrameSender(string interfaceName)
    {
        socket = Socket(PacketFamily, Raw, 0);
        var index = InterfaceIndex(interfaceName);
        var address = new LinkAddress { Family = PacketFamily, Index = (int)index };
        var yes = 1;
        if (socket < 0 || index == 0 || Bind(socket, &address, (uint)sizeof(LinkAddress)) != 0 || SetOption(socket, PacketLevel, QdiscBypass, &yes, sizeof(int)) != 0)
        {
            throw BenchException.OfErrno($"send frames on {interfaceName}");
        }
    }

    /// <summary>Sends all frames that lie one behind the other in the buffer, as fast as the kernel takes them.</summary>
    public void Send(ReadOnlySpan<byte> frames, int frameLength)
    {
        var vectors = stackalloc Vector[FramesPerCall];
        var messages = stackalloc Message[FramesPerCall];
        fixed (byte* start = frames)
        {
            var count = frames.Length / frameLength;
            for (var sent = 0; sent < count;)
            {
                var now = Math.Min(count - sent, FramesPerCall);
                for (var i = 0; i < now; i++)
                {
                    vectors[i] = new Vector { Base = start + ((sent + i) * frameLength), Length = (nuint)frameLength };
                    messages[i] = new Message { Vectors = &vectors[i], VectorCount = 1 };
                }

                sent += SendSome(messages, now);
            }
        }
    }

    public void Dispose() => _ = Close(socket);

    private int SendSome(Message* messages, int count)
    {
        var sent = SendMessages(socket, messages, (uint)count, 0);
        if (sent >= 0)
        {
            return sent;
        }

        // A full queue is the kernel's maximum: try again until it takes the frame.
        return Marshal.GetLastPInvokeError() is NoBuffers or Again or Interrupted ? 0 : throw BenchException.OfErrno("send frames");
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, LinkAddress* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint InterfaceIndex(string name);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    private static partial int SendMessages(int socket, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int socket);

    /// <summary>struct sockaddr_ll (packet(7)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkAddress
    {
        public ushort Family;
        public ushort Protocol;
        public int Index;
        public ushort HardwareType;
        public byte PacketType;
        public byte AddressLength;
        public ulong Address;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct mmsghdr (sendmmsg(2)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
        private readonly int pad;
        public uint Sent;
        private readonly int end;
    }
}
