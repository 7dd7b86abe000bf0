using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flows.FakeCluster;

/// <summary>
/// An API server for tests: lists and watches over real sockets in the documented wire format, and goes wrong as it is told to. It knows nothing of what
/// objects mean.
/// </summary>
public sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<ConnectionContext> connections = [];
    private readonly Dictionary<string, (KeyValuePair<string, byte[]>[] Objects, long Version)> pages = [];
    private readonly string token;

    private FakeApiServer(WebApplication app, string token, IReadOnlyDictionary<string, FakeShelf> collections) =>
        (this.app, this.token, Collections) = (app, token, collections);

    public FakeFaults Faults { get; } = new();

    public IReadOnlyDictionary<string, FakeShelf> Collections { get; }

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>The certificate in PEM where it speaks TLS, which is its own authority; else empty.</summary>
    public string CertificatePem { get; private init; } = "";

    public FakeShelf this[FakeResource resource] => Collections[resource.Name];

    /// <param name="port">0 for any that is free.</param>
    /// <param name="token">The bearer token without which it answers 401; empty for none.</param>
    /// <param name="tls">Speak TLS with a certificate made for the occasion, for the name <c>fake-cluster</c>.</param>
    /// <param name="mutual">With <paramref name="tls"/>: only talk to who shows the server's own certificate.</param>
    /// <param name="from">A server that went away, whose objects it serves.</param>
    /// <param name="listener">A socket that listens already, in whatever network namespace it was made; closed with the server.</param>
    public static async Task<FakeApiServer> StartAsync(int port = 0, string token = "", bool tls = false, bool mutual = false, FakeApiServer? from = null, Socket? listener = null)
    {
        var clock = new FakeClock();
        var collections = from?.Collections ?? FakeResource.All.ToDictionary(resource => resource.Name, resource => new FakeShelf(resource, clock), StringComparer.Ordinal);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var certificate = tls ? MakeCertificate() : null;
        FakeApiServer? server = null;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            void Configure(ListenOptions listen)
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => server!.ServeAsync(connection, next));
                if (certificate is not null)
                {
                    listen.UseHttps(certificate, https =>
                    {
                        https.ClientCertificateMode = mutual ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate;
                        https.ClientCertificateValidation = (shown, _, _) => shown.Thumbprint == certificate.Thumbprint;
                    });
                }
            }

            if (listener is not null)
            {
                kestrel.ListenHandle((ulong)listener.Handle, Configure);
            }
            else
            {
                kestrel.ListenLocalhost(port == 0 ? FreePort() : port, Configure);
            }
        });
        if (tls)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        var app = builder.Build();
        server = new FakeApiServer(app, token, collections) { CertificatePem = certificate?.ExportCertificatePem() ?? "", KeyPem = certificate?.GetECDsaPrivateKey()?.ExportECPrivateKeyPem() ?? "" };
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Address = listener?.LocalEndPoint is IPEndPoint given
            ? new($"{(tls ? "https" : "http")}://{given}")
            : new UriBuilder(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) { Host = "127.0.0.1" }.Uri;
        return server;
    }

    /// <summary>A kubeconfig for it.</summary>
    public string Kubeconfig() => $$"""
        apiVersion: v1
        kind: Config
        current-context: fake
        contexts:
          - name: fake
            context: { cluster: fake, user: fake }
        clusters:
          - name: fake
            cluster:
              server: {{Address}}
        {{(CertificatePem.Length == 0 ? "" : $"      tls-server-name: fake-cluster\n      certificate-authority-data: {Convert.ToBase64String(Encoding.UTF8.GetBytes(CertificatePem))}")}}
        users:
          - name: fake
            user: { token: "{{token}}" }
        """;

    /// <summary>Resets every connection.</summary>
    public void ResetConnections()
    {
        lock (connections)
        {
            foreach (var connection in connections)
            {
                connection.Abort();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Faults.Heal();
        ResetConnections();
        await app.DisposeAsync();
    }

    private async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        lock (connections)
        {
            connections.Add(connection);
        }

        try
        {
            await next(connection);
        }
        finally
        {
            lock (connections)
            {
                connections.Remove(connection);
            }
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        await Faults.Hole.WaitAsync(http.RequestAborted);
        if (token.Length > 0 && http.Request.Headers.Authorization != $"Bearer {token}")
        {
            await RefuseAsync(http, 401, "Unauthorized");
            return;
        }

        var collection = Collections.Values.FirstOrDefault(one => one.Resource.Path == http.Request.Path);
        if (collection is null)
        {
            await RefuseAsync(http, 404, "NotFound");
            return;
        }

        if (Faults.Refused(collection.Resource.Name) is { } status)
        {
            http.Response.Headers.RetryAfter = status == 429 ? "1" : default;
            await RefuseAsync(http, status, status switch { 403 => "Forbidden", 410 => "Expired", 429 => "TooManyRequests", _ => "InternalError" });
            return;
        }

        var partial = !Faults.NoPartialMetadata && http.Request.Headers.Accept.ToString().Contains("as=PartialObjectMetadata", StringComparison.Ordinal);
        if (http.Request.Query["watch"] == "1" || http.Request.Query["watch"] == "true")
        {
            await new FakeWatch(collection, Faults, partial).AnswerAsync(http);
        }
        else
        {
            Faults.CountList();
            await ListAsync(http, collection, partial);
        }
    }

    private async Task ListAsync(HttpContext http, FakeShelf collection, bool partial)
    {
        var limit = int.TryParse(http.Request.Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : int.MaxValue;
        limit = Faults.PageMax > 0 ? Math.Min(limit, Faults.PageMax) : limit;
        var at = 0;
        (KeyValuePair<string, byte[]>[] Objects, long Version) snapshot;
        if (http.Request.Query["continue"].ToString() is { Length: > 0 } given)
        {
            var parts = given.Split(':');
            bool known;
            lock (pages)
            {
                known = pages.TryGetValue(parts[0], out snapshot);
            }

            if (!known || Faults.Take(faults => faults.ExpireContinues, (faults, left) => faults.ExpireContinues = left))
            {
                await RefuseAsync(http, 410, "Expired");
                return;
            }

            at = int.Parse(parts[1], CultureInfo.InvariantCulture);
        }
        else
        {
            snapshot = collection.Snapshot();
        }

        var end = Math.Min(snapshot.Objects.Length, limit == int.MaxValue ? limit : at + limit);
        var next = end < snapshot.Objects.Length ? Remember(collection, snapshot, end) : "";
        http.Response.ContentType = "application/json";
        await WritePageAsync(http, collection.Resource, snapshot.Objects.AsMemory(at, end - at), snapshot.Version, next, partial);
    }

    private string Remember(FakeShelf collection, (KeyValuePair<string, byte[]>[] Objects, long Version) snapshot, int at)
    {
        lock (pages)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{collection.Resource.Name}-{snapshot.Version}");
            pages[key] = snapshot;
            if (pages.Count > 20)
            {
                pages.Remove(pages.Keys.First(other => other != key));
            }

            return string.Create(CultureInfo.InvariantCulture, $"{key}:{at}");
        }
    }

    private async Task WritePageAsync(HttpContext http, FakeResource resource, ReadOnlyMemory<KeyValuePair<string, byte[]>> page, long version, string next, bool partial)
    {
        var body = http.Response.BodyWriter;
        var kind = partial ? "PartialObjectMetadataList" : $"{resource.Kind}List";
        var group = partial ? "meta.k8s.io/v1" : resource.ApiVersion;
        body.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $$"""{"kind":"{{kind}}","apiVersion":"{{group}}","metadata":{"resourceVersion":"{{version}}"{{(next.Length > 0 ? $",\"continue\":\"{next}\"" : "")}}},"items":[""")));
        var cut = Faults.Take(faults => faults.CutLists, (faults, left) => faults.CutLists = left);
        for (var i = 0; i < page.Length; i++)
        {
            if (i > 0)
            {
                body.Write(","u8);
            }

            var json = page.Span[i].Value;
            body.Write(partial ? FakeWatch.Partial(json) : cut && i == page.Length - 1 ? json.AsSpan(0, json.Length / 2) : json);
            if (i % 16 == 15)
            {
                await Faults.Hole.WaitAsync(http.RequestAborted);
                await body.FlushAsync(http.RequestAborted);
            }
        }

        if (cut)
        {
            await body.FlushAsync(http.RequestAborted);
            http.Abort();
            return;
        }

        body.Write("]}\n"u8);
        await body.FlushAsync(http.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext http, int status, string reason)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(FakeWatch.Status(status, reason), http.RequestAborted);
    }

    /// <summary>The key of <see cref="CertificatePem"/> in PEM.</summary>
    public string KeyPem { get; private init; } = "";

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=fake-cluster", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("fake-cluster");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }
}
