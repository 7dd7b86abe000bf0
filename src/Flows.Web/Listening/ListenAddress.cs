using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Flows.Core;

namespace Flows.Web.Listening;

/// <summary>A place to listen, read from what a person wrote.</summary>
internal sealed record ListenAddress(string Text, EndPoint EndPoint)
{
    private const string UnixPrefix = "unix:";

    /// <summary>The longest path of a Unix socket: 108 bytes of sockaddr_un.sun_path (unix(7)) less the final zero.</summary>
    private const int UnixPathBytesMax = 107;

    public string? UnixPath => EndPoint is UnixDomainSocketEndPoint ? Text[UnixPrefix.Length..] : null;

    /// <summary>True where no other machine can reach it.</summary>
    public bool IsLocal => EndPoint is UnixDomainSocketEndPoint || (EndPoint is IPEndPoint ip && IPAddress.IsLoopback(ip.Address));

    /// <exception cref="FlowsException">It is neither ADDRESS:PORT nor unix:/path, or others could reach it without <paramref name="insecure"/>.</exception>
    public static ListenAddress Parse(string text, bool insecure)
    {
        var address = text.StartsWith(UnixPrefix, StringComparison.Ordinal) ? Unix(text) : new ListenAddress(text, Ip(text));
        return address.IsLocal || insecure
            ? address
            : throw new FlowsException(ExitCode.Usage,
                $"{text} can be reached by other machines, and mutual TLS is not there yet: anybody could read the map and send flows; "
                + "listen on 127.0.0.1:PORT or unix:/path, or add --insecure where the network itself keeps strangers out.");
    }

    private static ListenAddress Unix(string text)
    {
        var path = text[UnixPrefix.Length..];
        return path.StartsWith('/') && System.Text.Encoding.UTF8.GetByteCount(path) <= UnixPathBytesMax
            ? new ListenAddress(text, new UnixDomainSocketEndPoint(path))
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is no Unix socket; write unix:/path with an absolute path of at most {UnixPathBytesMax} bytes.");
    }

    private static IPEndPoint Ip(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && colon >= 0)
        {
            if (host == "localhost")
            {
                return new IPEndPoint(IPAddress.Loopback, port);
            }

            if (IPAddress.TryParse(bracketed ? host[1..^1] : host, out var ip) && bracketed == (ip.AddressFamily == AddressFamily.InterNetworkV6))
            {
                return new IPEndPoint(ip, port);
            }
        }

        throw new FlowsException(ExitCode.Usage, $"'{text}' is no address to listen on; write ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080, or unix:/path.");
    }
}
