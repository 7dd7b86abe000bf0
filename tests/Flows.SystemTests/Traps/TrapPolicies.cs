using Flows.SystemTests.Cli;
using k8s;
using k8s.Models;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>What <c>flows policy suggest</c> makes of a store, as the Kubernetes client reads it: one line for each peer that a policy lets through.</summary>
internal static class TrapPolicies
{
    /// <summary>Such as <c>shop/api-pod from shop app=web: TCP/8080</c>.</summary>
    public static async Task<IReadOnlyList<string>> SuggestAsync(string store, string directory, params string[] options)
    {
        var finished = await FlowsProcess.RunAsync(["policy", "suggest", "--store", store, "--out", directory, .. options]);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        var policies = Directory.GetFiles(directory, "*.yaml").Select(file => KubernetesYaml.Deserialize<V1NetworkPolicy>(File.ReadAllText(file), strict: true));
        return [.. policies.SelectMany(Lines).Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Lines(V1NetworkPolicy policy) =>
        (policy.Spec.Ingress ?? []).SelectMany(rule => Lines(policy, "from", rule.FromProperty, rule.Ports))
        .Concat((policy.Spec.Egress ?? []).SelectMany(rule => Lines(policy, "to", rule.To, rule.Ports)));

    private static IEnumerable<string> Lines(V1NetworkPolicy policy, string direction, IList<V1NetworkPolicyPeer> peers, IList<V1NetworkPolicyPort> ports) =>
        peers.Select(peer => $"{policy.Namespace()}/{policy.Name()} {direction} {PeerOf(peer)}: {PortsOf(ports)}");

    private static string PortsOf(IList<V1NetworkPolicyPort> ports) =>
        string.Join(' ', ports.Select(port => $"{port.Protocol}/{port.Port.Value}").Order(StringComparer.Ordinal));

    private static string PeerOf(V1NetworkPolicyPeer peer) => peer.IpBlock is { } block ? block.Cidr
        : $"{string.Join(',', peer.NamespaceSelector.MatchLabels.Values)} {string.Join(',', peer.PodSelector.MatchLabels.Select(label => $"{label.Key}={label.Value}"))}";
}
