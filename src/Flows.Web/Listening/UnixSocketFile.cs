using System.Net.Sockets;
using Flows.Core;

namespace Flows.Web.Listening;

/// <summary>The file that stands for a Unix socket.</summary>
internal static class UnixSocketFile
{
    /// <summary>A server that was killed leaves its socket behind, and nobody could bind the path again; one that answers is left alone.</summary>
    /// <exception cref="FlowsException">Somebody listens there, or the path is a file of another kind.</exception>
    public static void RemoveIfAbandoned(ListenAddress address)
    {
        if (address.UnixPath is not { } path || !Path.Exists(path))
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(address.EndPoint);
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // An ordinary file refuses too. Only an empty one is taken for a socket: a socket has no length.
            if (new FileInfo(path) is { Length: 0 } file)
            {
                file.Delete();
                return;
            }
        }

        throw new FlowsException(ExitCode.Failed, $"Cannot listen on {address.Text}: the path is taken; stop the server that uses it, or give another with --listen.");
    }

    /// <summary>Owner and group may connect: collectors on this machine join the group, others stay out.</summary>
    public static void Restrict(ListenAddress address)
    {
        if (address.UnixPath is { } path && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }
    }
}
