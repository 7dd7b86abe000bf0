using System.Runtime.InteropServices;

namespace Flows.KernelCluster;

/// <summary>A packet socket (packet(7)) that takes every IPv4 frame which arrives at an interface of the calling thread's namespace.</summary>
public sealed partial class FrameListener : IDisposable
{
    private const ushort Ipv4 = 0x0008;
    private const int SocketLevel = 1;
    private const int ReceiveBufferForce = 33;
    private const int DontWait = 0x40;
    private readonly int fd;
    private readonly byte[] frame = new byte[2048];

    public FrameListener(string device)
    {
        fd = Socket(17, 3, Ipv4);
        PacketSockets.Check(fd >= 0, "socket");
        PacketSockets.Check(SetOption(fd, SocketLevel, ReceiveBufferForce, 64 << 20, sizeof(int)) == 0, "SO_RCVBUFFORCE");
        var address = new byte[20];
        BitConverter.TryWriteBytes(address, (ushort)17);
        BitConverter.TryWriteBytes(address.AsSpan(2), Ipv4);
        BitConverter.TryWriteBytes(address.AsSpan(4), IndexOf(device));
        PacketSockets.Check(Bind(fd, address, address.Length) == 0, $"bind to {device}");
    }

    /// <summary>The next frame that has arrived; empty where none has.</summary>
    public ReadOnlySpan<byte> Take()
    {
        var length = (int)Receive(fd, frame, frame.Length, DontWait);
        return length <= 0 ? [] : frame.AsSpan(0, length);
    }

    public void Dispose() => _ = Close(fd);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int fd, int level, int option, in int value, int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int fd, byte[] address, int length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int fd, byte[] buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int IndexOf(string name);
}
