using System.Net.Sockets;
using Flows.Core;

namespace Flows.Transport;

/// <summary>Where the server listens: a TCP address, or a Unix socket on this machine.</summary>
/// <param name="Uri">The base address of requests.</param>
/// <param name="SocketPath">The Unix socket to connect to instead of the address's host; null for TCP.</param>
public sealed record ServerAddress(Uri Uri, string? SocketPath)
{
    /// <summary>Reads <c>http://host:port</c> or <c>unix:/path/to/socket</c>.</summary>
    /// <exception cref="FlowsException">The text is neither.</exception>
    public static ServerAddress Parse(string text)
    {
        if (text.StartsWith("unix:/", StringComparison.Ordinal) && text.Length > "unix:/".Length)
        {
            return new ServerAddress(new Uri("http://localhost/"), text["unix:".Length..]);
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0
            ? new ServerAddress(uri, null)
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is not a server address; write http://host:4739 or unix:/run/flows/flows.sock.");
    }

    public override string ToString() => SocketPath is null ? Uri.GetLeftPart(UriPartial.Authority) : "unix:" + SocketPath;

    /// <summary>A handler that connects here, finds a silent partition within 20 s, and follows nothing elsewhere.</summary>
    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        };
        if (SocketPath is { } path)
        {
            handler.ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        return handler;
    }
}
