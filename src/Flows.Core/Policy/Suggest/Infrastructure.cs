using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Tells what a cluster needs to run from what applications do, so that rules can say so.</summary>
internal static class Infrastructure
{
    public const string Dns = "name resolution, over UDP and TCP";
    public const string ApiServer = "the cluster's API server";
    public const string Metadata = "the cloud's metadata service, which also hands out credentials";
    public const string Metrics = "metrics are collected";

    private const ushort DnsPort = 53;

    // Behind the port that many distributions use; the service's port tells.
    private static readonly string[] Collectors = ["prometheus", "vmagent", "metrics-server", "grafana-agent", "alloy", "opentelemetry-collector", "otel-collector", "datadog-agent"];

    public static bool IsDns(Edge edge) => edge.Protocol is IpProtocol.Tcp or IpProtocol.Udp && (edge.DstPort == DnsPort || edge.ServicePort == DnsPort);

    public static bool IsApiServer(Edge edge) => edge.Service is { Kind: EntityKind.Service, Namespace: "default", Name: "kubernetes" };

    /// <summary>A collector of metrics, by what people call it. It changes how a rule is marked, never what it allows.</summary>
    public static bool CollectsMetrics(Entity client) => client.Kind == EntityKind.Pod && Collectors.Any(name => Called(client, name));

    /// <summary>Why the rule for the edge is a baseline, whoever the client is; null where it is not.</summary>
    public static string? ReasonOf(Edge edge, PeerClass peer) => IsDns(edge) ? Dns
        : IsApiServer(edge) ? ApiServer
        : peer == PeerClass.Metadata ? Metadata
        : null;

    private static bool Called(Entity pod, string name) => pod.Workload.Contains(name, StringComparison.OrdinalIgnoreCase)
        || (pod.Labels.TryGetValue("app.kubernetes.io/name", out var app) && app.Contains(name, StringComparison.OrdinalIgnoreCase));
}
