using System.Net;
using Flows.Core;
using Flows.Web.Api;
using Flows.Web.Listening;
using Flows.Web.Metrics;
using Flows.Web.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Flows.Web;

/// <summary>The HTTP server: pages, API, ingest and metrics on each of the given addresses, HTTP/1.1 and HTTP/2 alike.</summary>
public sealed class FlowsWeb : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly FlowMetrics metrics;
    private readonly IReadOnlyList<(ListenAddress Address, ListenOptions Listening)> listeners;

    private FlowsWeb(WebApplication app, FlowMetrics metrics, IReadOnlyList<(ListenAddress Address, ListenOptions Listening)> listeners) =>
        (this.app, this.metrics, this.listeners) = (app, metrics, listeners);

    /// <summary>Where it listens, as a client writes it: <c>http://127.0.0.1:8080</c>, <c>unix:/run/flows.sock</c>. Ports are real once started.</summary>
    public IReadOnlyList<string> Addresses => [.. listeners.Select(one => one.Address.UnixPath is null ? $"http://{one.Listening.IPEndPoint}" : one.Address.Text)];

    /// <summary>Tells whether the addresses can be meant, before anything is made for them.</summary>
    /// <exception cref="FlowsException">An address cannot be read, or others could reach it and <paramref name="insecure"/> is off.</exception>
    public static void Check(IReadOnlyList<string> listen, bool insecure)
    {
        foreach (var text in listen)
        {
            ListenAddress.Parse(text, insecure);
        }
    }

    /// <summary>Builds the server; nothing is bound yet.</summary>
    /// <exception cref="FlowsException">An address cannot be read, or others could reach it and <see cref="WebOptions.Insecure"/> is off.</exception>
    public static FlowsWeb Create(WebOptions options, WebParts parts)
    {
        ListenAddress[] addresses = [.. options.Listen.Select(text => ListenAddress.Parse(text, options.Insecure))];
        var metrics = new FlowMetrics(parts);
        var listeners = new List<(ListenAddress, ListenOptions)>();
        var door = new Http2Door();
        var peek = new ProtocolPeek(door, parts.Time);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Nothing but ingest has a body; it raises its own limit.
            kestrel.Limits.MaxRequestBodySize = 64 << 10;
            kestrel.Limits.MaxConcurrentConnections = 1024;
            foreach (var address in addresses)
            {
                kestrel.Listen(address.EndPoint, listening =>
                {
                    listening.Protocols = HttpProtocols.Http1;
                    listening.Use(next => connection => peek.RunAsync(connection, next));
                    listeners.Add((address, listening));
                });
            }

            kestrel.Listen(door, listening => listening.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(door);
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("flows", serviceVersion: parts.Version)).WithMetrics(provider => provider
            .AddMeter(FlowMetrics.MeterName)
            .AddView(FlowMetrics.IngestDurationName, new ExplicitBucketHistogramConfiguration { Boundaries = FlowMetrics.IngestDurationBounds })
            .AddPrometheusExporter());

        var app = builder.Build();
        app.Use(Problem.AnswerFaultsAsync);
        app.Use(SecurityHeaders.AddAsync);
        app.Use(new HostGuard(addresses, options.Insecure).CheckAsync);
        app.UseRouting();
        Routes.Map(app, options, parts, metrics);
        app.MapPrometheusScrapingEndpoint("/metrics");
        StaticPages.Map(app);
        return new FlowsWeb(app, metrics, listeners);
    }

    /// <summary>Binds the addresses and serves until <see cref="StopAsync"/>.</summary>
    /// <exception cref="FlowsException">An address is taken, or cannot be bound here.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        foreach (var (address, _) in listeners)
        {
            UnixSocketFile.RemoveIfAbandoned(address);
        }

        try
        {
            await app.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            var where = string.Join(", ", listeners.Select(one => one.Address.Text));
            throw new FlowsException(ExitCode.Failed, fault.InnerException is AddressInUseException
                ? $"Cannot listen on {where}: the address is taken; stop what listens there (ss -lptn shows it) or give another with --listen."
                : $"Cannot listen on {where}: {fault.Message.TrimEnd('.')}; give another address with --listen.", fault);
        }

        foreach (var (address, _) in listeners)
        {
            UnixSocketFile.Restrict(address);
        }
    }

    /// <summary>Takes no more requests, and gives those under way until <paramref name="grace"/> is cancelled.</summary>
    public Task StopAsync(CancellationToken grace) => app.StopAsync(grace);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync().ConfigureAwait(false);
        metrics.Dispose();
    }
}
