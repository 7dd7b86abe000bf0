using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Flows.Web.Listening;

/// <summary>
/// A door inside the process: connections that a real listener found to speak HTTP/2 are handed through it to a second Kestrel
/// endpoint that speaks nothing else. Kestrel picks the protocol per endpoint when there is no TLS to negotiate it.
/// </summary>
internal sealed class Http2Door : EndPoint, IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    // A connection waits here only until Kestrel's accept loop takes it, which it does at once; the bound is for a loop that hangs.
    private readonly Channel<ConnectionContext> waiting = Channel.CreateBounded<ConnectionContext>(64);

    public EndPoint EndPoint => this;

    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, this);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(this);

    /// <summary>Hands a connection over, and returns when the endpoint behind the door is done with it.</summary>
    public async Task PassAsync(ConnectionContext connection)
    {
        await using var passed = new PassedConnection(connection);
        await waiting.Writer.WriteAsync(passed, connection.ConnectionClosed).ConfigureAwait(false);
        await passed.Done.ConfigureAwait(false);
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await waiting.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        waiting.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync(CancellationToken.None);

    public override string ToString() => "http2";
}
