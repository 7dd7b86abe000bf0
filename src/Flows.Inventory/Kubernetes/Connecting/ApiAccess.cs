using System.Security.Cryptography.X509Certificates;

namespace Flows.Inventory.Kubernetes.Connecting;

/// <summary>Where an API server is and how one proves who one is: what a kubeconfig or a service account comes to.</summary>
internal sealed record ApiAccess
{
    private const string AccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>With a path where the server stands behind a proxy that serves several.</summary>
    public required Uri Server { get; init; }

    /// <summary>Who may have signed the server's certificate; null for those that the system trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    public bool SkipVerify { get; init; }

    /// <summary>The name that the server's certificate must have; empty for the one in <see cref="Server"/>.</summary>
    public string ServerName { get; init; } = "";

    public Uri? Proxy { get; init; }

    /// <summary>PEM, with <see cref="ClientKey"/>; empty for none.</summary>
    public string ClientCertificate { get; init; } = "";

    public string ClientKey { get; init; } = "";

    public string Token { get; init; } = "";

    /// <summary>Read anew for every request, since the kubelet and others replace it; empty for none.</summary>
    public string TokenFile { get; init; } = "";

    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>A program that hands out credentials; null for none.</summary>
    public ExecCredential? Exec { get; init; }

    /// <summary>Which access the options mean.</summary>
    /// <exception cref="Core.FlowsException">There is none, or it is wrong.</exception>
    public static ApiAccess Of(KubernetesOptions options) => options.InCluster
        ? InCluster(AccountFolder, Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"), Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"))
        : KubeConfig.Read(options.Kubeconfig, options.Context);

    /// <summary>As the kubelet tells a pod: a folder with <c>token</c> and <c>ca.crt</c>, and where the service <c>kubernetes</c> is.</summary>
    /// <exception cref="Core.FlowsException">Something of it is missing.</exception>
    internal static ApiAccess InCluster(string folder, string? host, string? port)
    {
        var (token, authorities) = (Path.Combine(folder, "token"), Path.Combine(folder, "ca.crt"));
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port) || !File.Exists(token) || !File.Exists(authorities))
        {
            throw new Core.FlowsException(Core.ExitCode.Usage,
                "This does not run in a cluster, or its pod has no service account token; set automountServiceAccountToken: true, or give a kubeconfig.");
        }

        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(authorities);
        return new()
        {
            Server = new Uri($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}"),
            Authorities = trusted,
            TokenFile = token,
        };
    }
}
