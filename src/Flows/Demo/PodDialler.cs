using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Flows.Core;

namespace Flows.Demo;

/// <summary>Opens one connection, exchanges bytes, ends it in order, and says what happened.</summary>
internal sealed class PodDialler(TimeProvider time)
{
    private const int QueryAttemptsMax = 3;

    public async Task<Dialled> DialAsync(PodRequest request)
    {
        var udp = request.Protocol == "udp";
        var remote = IPAddress.Parse(request.Address);
        using var socket = new Socket(remote.AddressFamily, udp ? SocketType.Dgram : SocketType.Stream, udp ? ProtocolType.Udp : ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(request.From), 0));
        var localPort = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var start = time.NowUs();
        var (outcome, sent, received) = udp
            ? await AskAsync(socket, new IPEndPoint(remote, request.Port), request).ConfigureAwait(false)
            : await ExchangeAsync(socket, new IPEndPoint(remote, request.Port), request).ConfigureAwait(false);
        return new Dialled(request.Protocol, request.From, localPort, request.Address, request.Port, outcome, sent, received, start, time.NowUs());
    }

    private static async Task<(DialOutcome Outcome, long Sent, long Received)> ExchangeAsync(Socket socket, IPEndPoint remote, PodRequest request)
    {
        using var patience = new CancellationTokenSource(request.TimeoutMs);
        try
        {
            await socket.ConnectAsync(remote, patience.Token).ConfigureAwait(false);
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return (DialOutcome.Refused, 0, 0);
        }
        catch (OperationCanceledException)
        {
            return (DialOutcome.Unanswered, 0, 0);
        }

        var message = new byte[8 + request.Bytes];
        BinaryPrimitives.WriteInt32BigEndian(message, request.Bytes);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), request.Bytes);
        await socket.SendAsync(message, SocketFlags.None, patience.Token).ConfigureAwait(false);
        long received = 0;
        while (received < request.Bytes)
        {
            var count = await socket.ReceiveAsync(message, SocketFlags.None, patience.Token).ConfigureAwait(false);
            received += count > 0 ? count : throw new IOException($"{remote} closed after {received} of {request.Bytes} bytes.");
        }

        // We close first, and wait for the other side's end: both ends then leave in order, without a reset.
        socket.Shutdown(SocketShutdown.Send);
        _ = await socket.ReceiveAsync(message, SocketFlags.None, patience.Token).ConfigureAwait(false);
        return (DialOutcome.Answered, message.Length, received);
    }

    private static async Task<(DialOutcome Outcome, long Sent, long Received)> AskAsync(Socket socket, IPEndPoint remote, PodRequest request)
    {
        await socket.ConnectAsync(remote).ConfigureAwait(false);
        var query = DnsMessage.Query((ushort)request.Id, request.Name);
        var answer = new byte[512];
        long sent = 0;
        for (var attempt = 0; attempt < QueryAttemptsMax; attempt++)
        {
            sent += await socket.SendAsync(query, SocketFlags.None).ConfigureAwait(false);
            using var patience = new CancellationTokenSource(request.TimeoutMs / QueryAttemptsMax);
            try
            {
                var received = await socket.ReceiveAsync(answer, SocketFlags.None, patience.Token).ConfigureAwait(false);
                return (DialOutcome.Answered, sent, received);
            }
            catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return (DialOutcome.Refused, sent, 0);
            }
            catch (OperationCanceledException)
            {
                // A datagram may be lost: the next attempt uses the same port, so it stays one conversation.
            }
        }

        return (DialOutcome.Unanswered, sent, 0);
    }
}
