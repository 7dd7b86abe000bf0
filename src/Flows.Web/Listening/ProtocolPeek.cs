using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Flows.Web.Listening;

/// <summary>
/// Tells HTTP/2 with prior knowledge from HTTP/1.1 by the first bytes of a connection, so that one address serves collectors and
/// browsers. The preface (RFC 9113 section 3.4) was chosen so that no HTTP/1.1 request begins with it.
/// </summary>
internal sealed class ProtocolPeek(Http2Door door, TimeProvider time)
{
    /// <summary>Kestrel allows 30 s for the headers of a request; the first bytes of one need no longer.</summary>
    private static readonly TimeSpan FirstBytesMax = TimeSpan.FromSeconds(30);

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        using var patience = new CancellationTokenSource(FirstBytesMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, connection.ConnectionClosed);
        bool http2;
        try
        {
            http2 = await IsHttp2Async(connection.Transport.Input, either.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            // Somebody who connects and says nothing, or leaves, is not worth a word.
            return;
        }

        await (http2 ? door.PassAsync(connection) : http1(connection)).ConfigureAwait(false);
    }

    /// <summary>Looks without consuming: whoever serves the connection reads the same bytes again.</summary>
    private static async Task<bool> IsHttp2Async(PipeReader input, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellation).ConfigureAwait(false);
            var decided = Decide(read.Buffer);
            if (decided is not null || read.IsCompleted)
            {
                input.AdvanceTo(read.Buffer.Start);
                return decided ?? false;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>True for the whole preface, false at the first byte that differs, null while more bytes are needed.</summary>
    internal static bool? Decide(ReadOnlySequence<byte> bytes)
    {
        Span<byte> begin = stackalloc byte[Preface.Length];
        var length = (int)Math.Min(bytes.Length, begin.Length);
        bytes.Slice(0, length).CopyTo(begin);
        return !Preface.StartsWith(begin[..length]) ? false : length == begin.Length ? true : null;
    }
}
