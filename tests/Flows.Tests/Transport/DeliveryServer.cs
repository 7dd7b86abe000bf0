using System.Globalization;
using Flows.Transport;
using Flows.Transport.Intake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Flows.Tests.Transport;

/// <summary>An intake behind HTTP/2 on loopback or a Unix socket, with a place to misbehave.</summary>
internal sealed class DeliveryServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private DeliveryServer(WebApplication app, string address) => (this.app, Address) = (app, ServerAddress.Parse(address));

    public ServerAddress Address { get; }

    /// <summary>Starts on a port (0: any) or a socket path.</summary>
    /// <param name="before">Answers with a status instead of the intake, where it returns one.</param>
    /// <param name="loseAnswer">True to break the connection after the batch is stored.</param>
    public static async Task<DeliveryServer> StartAsync(Intake intake, int port = 0, string? socket = null, Func<int?>? before = null, Func<bool>? loseAnswer = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            if (socket is null)
            {
                kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
            }
            else
            {
                kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
            }
        });
        var app = builder.Build();
        app.MapPost("/api/v1/ingest", async (HttpContext context) =>
        {
            if (before?.Invoke() is { } status)
            {
                context.Response.StatusCode = status;
                return;
            }

            var request = context.Request;
            var header = BatchHeader.TryParse(name => request.Headers[name], request.ContentType, request.ContentLength, out var problem);
            var result = header is null ? intake.RefuseHeader(problem) : await intake.ReceiveAsync(header, request.Body, context.RequestAborted);
            if (loseAnswer?.Invoke() == true)
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = result.HttpStatus;
            context.Response.Headers.RetryAfter = result.RetryAfter?.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            await context.Response.WriteAsync(result.Reason);
        });
        await app.StartAsync();
        return new DeliveryServer(app, socket is null ? app.Urls.First() : "unix:" + socket);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }
}
