using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Flows.Core;

namespace Flows.Demo;

/// <summary>
/// The servers of one pod. It notes each peer before it answers, so whoever has an answer can ask here who gave it: that is how
/// the truth knows the backend behind a service address.
/// </summary>
internal sealed class PodListeners(TimeProvider time)
{
    private const int RequestBytesMax = 1 << 20;

    private readonly Lock guard = new();
    private readonly List<Accepted> accepted = [];

    /// <summary>All peers so far, in order of arrival; for UDP one per peer address and port.</summary>
    public IReadOnlyList<Accepted> Accepted
    {
        get
        {
            lock (guard)
            {
                return [.. accepted];
            }
        }
    }

    /// <summary>Listens on all addresses of the pod, IPv4 and IPv6: <c>tcp</c> echoes what it is asked for, <c>udp</c> answers DNS.</summary>
    public void Open(string protocol, int port)
    {
        var udp = protocol == "udp";
        var socket = new Socket(AddressFamily.InterNetworkV6, udp ? SocketType.Dgram : SocketType.Stream, udp ? ProtocolType.Udp : ProtocolType.Tcp)
        {
            DualMode = true,
        };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        if (udp)
        {
            _ = AnswerQueriesAsync(socket, port);
        }
        else
        {
            socket.Listen(64);
            _ = AcceptAsync(socket, port);
        }
    }

    private async Task AcceptAsync(Socket listener, int port)
    {
        while (true)
        {
            var connection = await listener.AcceptAsync().ConfigureAwait(false);
            Note("tcp", port, (IPEndPoint)connection.RemoteEndPoint!);
            _ = ServeAsync(connection);
        }
    }

    /// <summary>Reads two lengths and a request of the first length, answers with as many bytes as the second, waits for the peer's end.</summary>
    private static async Task ServeAsync(Socket connection)
    {
        using var stream = new NetworkStream(connection, ownsSocket: true);
        try
        {
            var lengths = new byte[8];
            await stream.ReadExactlyAsync(lengths).ConfigureAwait(false);
            var request = new byte[Math.Clamp(BinaryPrimitives.ReadInt32BigEndian(lengths), 0, RequestBytesMax)];
            var response = new byte[Math.Clamp(BinaryPrimitives.ReadInt32BigEndian(lengths.AsSpan(4)), 0, RequestBytesMax)];
            await stream.ReadExactlyAsync(request).ConfigureAwait(false);
            await stream.WriteAsync(response).ConfigureAwait(false);
            _ = await stream.ReadAsync(lengths).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The peer went away in the middle; its own report says so.
        }
    }

    private async Task AnswerQueriesAsync(Socket socket, int port)
    {
        var buffer = new byte[512];
        var anyone = new IPEndPoint(IPAddress.IPv6Any, 0);
        while (true)
        {
            var query = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone).ConfigureAwait(false);
            if (DnsMessage.Answer(buffer.AsSpan(0, query.ReceivedBytes)) is { } answer)
            {
                Note("udp", port, (IPEndPoint)query.RemoteEndPoint);
                await socket.SendToAsync(answer, SocketFlags.None, query.RemoteEndPoint).ConfigureAwait(false);
            }
        }
    }

    private void Note(string protocol, int port, IPEndPoint peer)
    {
        var address = peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address;
        lock (guard)
        {
            // A repeated datagram of a query is the same conversation.
            if (!(protocol == "udp" && accepted.Exists(known => known.RemotePort == peer.Port && known.Remote == address.ToString() && known.Port == port)))
            {
                accepted.Add(new Accepted(protocol, port, address.ToString(), peer.Port, time.NowUs()));
            }
        }
    }
}
