using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flows.Core;

namespace Flows.Inventory.Kubernetes.Connecting;

/// <summary>
/// One HTTP/1.1 connection to an API server, thrown away after any fault. The kernel asks an idle peer after 15 s whether it is still there, and gives
/// up after three more questions of 5 s; a peer that is there and says nothing is the caller's business.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    private const int KeepAliveSeconds = 15;
    private const int KeepAliveIntervalSeconds = 5;
    private const int KeepAliveProbes = 3;

    private readonly ApiAccess access;
    private readonly Credential? credential;
    private readonly HttpClient client;

    private ApiConnection(ApiAccess access, Credential? credential, TimeSpan connectTimeout)
    {
        (this.access, this.credential) = (access, credential);
        client = new(Handler(access, credential, connectTimeout)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Prepares a connection; it is made with the first request.</summary>
    /// <exception cref="IOException">The credential program failed.</exception>
    public static async Task<ApiConnection> OpenAsync(ApiAccess access, TimeSpan connectTimeout, TimeProvider time, CancellationToken cancellation) =>
        new(access, access.Exec is null ? null : await access.Exec.AskAsync(time, cancellation).ConfigureAwait(false), connectTimeout);

    /// <summary>When the credential ends and the connection with it, µs; null for never.</summary>
    public long? ExpiresUs => credential?.ExpiresUs;

    /// <summary>Asks; returns when the answer begins. The caller disposes it.</summary>
    /// <exception cref="HttpRequestException">There is no connection.</exception>
    public async Task<HttpResponseMessage> GetAsync(string pathAndQuery, string accept, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(access.Server.AbsoluteUri.TrimEnd('/') + pathAndQuery))
        {
            // One watch a connection: on HTTP/2 a stuck connection would take all watches with it.
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);

        // The handler takes the name for TLS from here; there is no other place.
        request.Headers.Host = access.ServerName.Length > 0 ? access.ServerName : null;
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("flows", "0.1"));
        request.Headers.Authorization = await AuthorizationAsync(cancellation).ConfigureAwait(false);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
    }

    public void Dispose() => client.Dispose();

    private async Task<AuthenticationHeaderValue?> AuthorizationAsync(CancellationToken cancellation)
    {
        if (access.TokenFile.Length > 0)
        {
            return new("Bearer", (await File.ReadAllTextAsync(access.TokenFile, cancellation).ConfigureAwait(false)).Trim());
        }

        var token = credential is { Token.Length: > 0 } ? credential.Token : access.Token;
        return token.Length > 0 ? new("Bearer", token)
            : access.User.Length > 0 ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{access.User}:{access.Password}")))
            : null;
    }

    private static SocketsHttpHandler Handler(ApiAccess access, Credential? credential, TimeSpan connectTimeout) => new()
    {
        ConnectTimeout = connectTimeout,
        ConnectCallback = ConnectAsync,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,

        // A watch that is left in the middle is closed, not read to its end.
        MaxResponseDrainSize = 0,
        Proxy = access.Proxy is null ? null : new WebProxy(access.Proxy),
        UseProxy = access.Proxy is not null,
        SslOptions = Tls(access, credential),
    };

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions Tls(ApiAccess access, Credential? credential)
    {
        var (certificate, key) = credential is { Certificate.Length: > 0 } ? (credential.Certificate, credential.Key) : (access.ClientCertificate, access.ClientKey);
        var options = new SslClientAuthenticationOptions();
        if (certificate.Length > 0)
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        }

        if (access.SkipVerify)
        {
#pragma warning disable CA5359 // Asked for in so many words: insecure-skip-tls-verify.
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (access.Authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(access.Authorities);
        }

        return options;
    }
}
