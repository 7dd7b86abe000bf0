using System.Runtime.InteropServices;

namespace Flows.KernelCluster;

/// <summary>A packet socket (packet(7)) that sends whole frames as they are on one interface of the calling thread's namespace.</summary>
public sealed partial class PacketSocket : IDisposable
{
    private const int AddressFamily = 17;
    private const int Raw = 3;
    private readonly int fd;

    public PacketSocket(string device)
    {
        fd = Socket(AddressFamily, Raw, 0);
        PacketSockets.Check(fd >= 0, "socket");
        var address = new byte[20];
        BitConverter.TryWriteBytes(address, (ushort)AddressFamily);
        BitConverter.TryWriteBytes(address.AsSpan(4), IndexOf(device));
        PacketSockets.Check(Bind(fd, address, address.Length) == 0, $"bind to {device}");
    }

    /// <summary>False where the kernel refused the frame.</summary>
    public bool TrySend(ReadOnlySpan<byte> frame) => Send(fd, frame, frame.Length, 0) == frame.Length;

    public void Dispose() => _ = Close(fd);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int fd, byte[] address, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int fd, ReadOnlySpan<byte> frame, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int IndexOf(string name);
}
