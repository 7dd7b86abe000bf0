using System.Globalization;
using System.Net;
using System.Text;
using k8s.Models;

namespace Flows.KernelCluster;

/// <summary>
/// NetworkPolicies as packet filter rules (nft(8)), straight from the API's objects and as plainly as possible: every selector is tried on every pod, and every pod
/// gets a chain for each direction. It shares nothing with the product, neither reader nor model nor renderer.
/// </summary>
public sealed class NaiveNftables(IReadOnlyList<TestPod> pods, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> namespaces, IReadOnlyList<V1NetworkPolicy> policies)
{
    public string Rules()
    {
        var chains = new StringBuilder();
        List<string> egress = [];
        List<string> ingress = [];
        for (var i = 0; i < pods.Count; i++)
        {
            var pod = pods[i];
            var mine = pod.IsOutside ? [] : policies.Where(policy => policy.Metadata.NamespaceProperty == pod.Namespace && Selects(policy.Spec.PodSelector, pod.Labels)).ToList();
            var outward = mine.Where(policy => policy.Spec.PolicyTypes.Contains("Egress")).ToList();
            if (outward.Count > 0)
            {
                egress.Add($"{pod.Address} : jump e{i}");
                Chain(chains, $"e{i}", Own("daddr", pod).Concat(outward.SelectMany(policy => (policy.Spec.Egress ?? []).SelectMany(rule => Rule("daddr", Peers(policy, rule.To), rule.Ports, null)))));
            }

            var inward = mine.Where(policy => policy.Spec.PolicyTypes.Contains("Ingress")).ToList();
            if (inward.Count > 0)
            {
                ingress.Add($"{pod.Address} : jump i{i}");
                Chain(chains, $"i{i}", Own("saddr", pod).Concat(inward.SelectMany(policy => (policy.Spec.Ingress ?? []).SelectMany(rule => Rule("saddr", Peers(policy, rule.FromProperty), rule.Ports, pod)))));
            }
        }

        return $$"""
            table ip cluster {
            {{chains}}
              chain forward {
                type filter hook forward priority 0; policy accept;
                {{(egress.Count > 0 ? $"ip saddr vmap {{ {string.Join(", ", egress)} }}" : "")}}
                {{(ingress.Count > 0 ? $"ip daddr vmap {{ {string.Join(", ", ingress)} }}" : "")}}
              }
            }
            """;
    }

    private static void Chain(StringBuilder to, string name, IEnumerable<string> matches) =>
        to.Append(CultureInfo.InvariantCulture, $"  chain {name} {{\n{string.Concat(matches.Select(match => $"    {match}return\n"))}    drop\n  }}\n");

    /// <summary>A pod and its own node always talk, says the API.</summary>
    private static string[] Own(string end, TestPod pod) => pod.Node is { } node ? [$"ip {end} {node} "] : [];

    /// <summary>Each peer with each port; a peer is a set of addresses or a range, null is everybody.</summary>
    private IEnumerable<string> Rule(string end, IReadOnlyList<Peer?> peers, IList<V1NetworkPolicyPort>? ports, TestPod? destination) =>
        from peer in peers
        where peer is null || peer.Range is not null || peer.Addresses.Count > 0
        from port in ports is null || ports.Count == 0 ? [""] : ports.SelectMany(port => Port(port, destination))
        select (peer is null ? "" : peer.Range is { } range
            ? $"ip {end} {range} " + (peer.Except.Count > 0 ? $"ip {end} != {{ {string.Join(", ", peer.Except)} }} " : "")
            : $"ip {end} {{ {string.Join(", ", peer.Addresses)} }} ") + port;

    private IEnumerable<string> Port(V1NetworkPolicyPort port, TestPod? destination)
    {
        var protocol = port.Protocol ?? "TCP";
        var word = protocol.ToLowerInvariant();
        if (port.Port is null)
        {
            return [$"meta l4proto {word} "];
        }

        if (ushort.TryParse(port.Port.Value, CultureInfo.InvariantCulture, out var number))
        {
            return [port.EndPort is { } last ? $"{word} dport {number}-{last} " : $"{word} dport {number} "];
        }

        IEnumerable<TestPod> named = destination is null ? pods : [destination];
        return named.SelectMany(pod => pod.Ports.Where(one => one.Name == port.Port.Value && (one.Protocol ?? "TCP") == protocol)
            .Select(one => $"ip daddr {pod.Address} {word} dport {one.ContainerPort} "));
    }

    private sealed record Peer(IReadOnlyList<IPAddress> Addresses, string? Range, IReadOnlyList<string> Except);

    private List<Peer?> Peers(V1NetworkPolicy policy, IList<V1NetworkPolicyPeer>? peers) => peers is null || peers.Count == 0
        ? [null]
        : [.. peers.Select(peer => peer.IpBlock is { } block
            ? new Peer([], block.Cidr, [.. block.Except ?? []])
            : new Peer([.. pods.Where(pod => !pod.IsOutside
                && (peer.NamespaceSelector is null ? pod.Namespace == policy.Metadata.NamespaceProperty : Selects(peer.NamespaceSelector, namespaces[pod.Namespace]))
                && (peer.PodSelector is null || Selects(peer.PodSelector, pod.Labels))).Select(pod => pod.Address)], null, []))];

    private static bool Selects(V1LabelSelector? selector, IReadOnlyDictionary<string, string> labels)
    {
        foreach (var label in selector?.MatchLabels ?? new Dictionary<string, string>())
        {
            if (!labels.TryGetValue(label.Key, out var value) || value != label.Value)
            {
                return false;
            }
        }

        foreach (var one in selector?.MatchExpressions ?? [])
        {
            var has = labels.TryGetValue(one.Key, out var value);
            var holds = one.OperatorProperty switch
            {
                "In" => has && one.Values.Contains(value!),
                "NotIn" => !has || !one.Values.Contains(value!),
                "Exists" => has,
                _ => !has,
            };
            if (!holds)
            {
                return false;
            }
        }

        return true;
    }
}
