using System.Net.Sockets;

namespace Flows.SystemTests.Cli;

/// <summary>Talks HTTP over a server's Unix socket, which lies in no network namespace.</summary>
internal static class ServerSocket
{
    public static HttpClient Client(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://localhost") };
}
