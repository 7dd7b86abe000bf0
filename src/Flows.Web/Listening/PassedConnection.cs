using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Flows.Web.Listening;

/// <summary>The connection of another endpoint, lent: disposing it gives it back instead of closing the socket.</summary>
internal sealed class PassedConnection(ConnectionContext lender) : ConnectionContext
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the borrower has disposed it.</summary>
    public Task Done => done.Task;

    public override string ConnectionId { get => lender.ConnectionId; set => lender.ConnectionId = value; }

    public override IFeatureCollection Features => lender.Features;

    public override IDictionary<object, object?> Items { get => lender.Items; set => lender.Items = value; }

    public override IDuplexPipe Transport { get => lender.Transport; set => lender.Transport = value; }

    public override CancellationToken ConnectionClosed { get => lender.ConnectionClosed; set => lender.ConnectionClosed = value; }

    public override EndPoint? LocalEndPoint { get => lender.LocalEndPoint; set => lender.LocalEndPoint = value; }

    public override EndPoint? RemoteEndPoint { get => lender.RemoteEndPoint; set => lender.RemoteEndPoint = value; }

    public override void Abort(ConnectionAbortedException abortReason) => lender.Abort(abortReason);

    public override ValueTask DisposeAsync()
    {
        done.TrySetResult();
        return base.DisposeAsync();
    }
}
