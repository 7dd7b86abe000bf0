using CsCheck;
using Flows.Core;
using Flows.Core.Policy;
using k8s;
using k8s.Models;
using Xunit;
using YamlDotNet.RepresentationModel;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class WriterTests
{
    [Theory]
    [InlineData("kubernetes")]
    [InlineData("cilium")]
    [InlineData("calico")]
    public void Policies_of_several_kinds_and_one_name_stay_apart(string target)
    {
        var set = SmallCluster.Read(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}}\n",
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspecs: [{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}]\n",
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: q, namespace: shop}\nspecs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, egress: [{}]}]\n");
        var rendering = PolicyRenderer.Render(set, target);
        Assert.Equal(4, rendering.Files.Select(file => file.Name).Distinct().Count());
        Assert.Equal(4, PolicyReader.Read(rendering.Documents).Policies.Count);
        Assert.Contains(PolicyReader.Read(rendering.Documents).Policies, policy => policy.Id == "shop/p");
    }

    [Fact]
    public void The_baseline_and_an_admin_policy_of_its_name_stay_apart()
    {
        string Policy(string kind, string rest) => $"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: {kind}\nmetadata: {{name: default}}\nspec: {{{rest}subject: {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}]}}]}}\n";
        var rendering = PolicyRenderer.Render(SmallCluster.Read(Policy("AdminNetworkPolicy", "priority: 1, "), Policy("BaselineAdminNetworkPolicy", "")), "cluster");
        Assert.Equal(["Admin", "Baseline"], PolicyReader.Read(rendering.Documents).Policies.Select(policy => policy.Tier == Tier.Admin ? "Admin" : "Baseline"));
    }

    /// <summary>Legal label values that readers of YAML 1.1 or 1.2 take for numbers, dates, booleans or nothing when they stand without quotes.</summary>
    private static readonly string[] Hostile =
        ["0x1F", "1_000", "2024-01-01", "yes", "no", "on", "off", "y", "null", "true", "0b11", "0o17", "017", "1e3", "1.0", "12", "", "NaN", "Infinity", "1.2.3", "0", "00"];

    private static readonly Gen<string> LabelValue = Gen.Frequency((1, Gen.OneOf(Hostile)),
        (1, Gen.Char["0123456789abcdefxXeEoOyYnNtT_.-"].Array[1, 20].Select(chars => new string(chars)).Where(KubernetesGrammar.IsLabelValue)));

    [Fact]
    public void Every_text_comes_back_from_two_readers() => Gen.Select(LabelValue, LabelValue, LabelValue.Where(KubernetesGrammar.IsLabelKey)).Sample((own, peer, key) =>
    {
        var policy = new SegmentPolicy
        {
            Namespace = "shop",
            Name = "p",
            Target = PodSegment.In("shop", LabelSelector.Of([new(key, own)])),
            Ingress = [new Rule { Peers = [PodSegment.In("shop", LabelSelector.Of([new(key, peer)]))], Ports = [PortMatch.Of(6, 80)] }],
        };
        var yaml = KubernetesWriter.Write(policy, "evidence.json#shop/p");
        var api = KubernetesYaml.Deserialize<V1NetworkPolicy>(yaml, strict: true);
        Assert.Equal(own, api.Spec.PodSelector.MatchLabels[key]);
        Assert.Equal(peer, api.Spec.Ingress[0].FromProperty[0].PodSelector.MatchLabels[key]);

        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        var labels = (YamlMappingNode)stream.Documents[0].RootNode["spec"]["podSelector"]["matchLabels"];
        Assert.Equal((key, own), ((labels.Children[0].Key as YamlScalarNode)?.Value, (labels.Children[0].Value as YamlScalarNode)?.Value));
        Assert.Equal(policy.Pods, RoundTrip(new PolicySet([policy])).Policies[0].Pods);
    });

    [Fact]
    public void The_api_model_takes_a_whole_suggestion()
    {
        var edges = Enumerable.Range(1, 20).Select(i => Edge(App("web"), Unknown($"203.0.113.{i}"), 443)).Append(Edge(App("web"), App("api"), 8080));
        var set = PolicySuggester.Suggest(Input(edges, clusterRanges: ["10.0.0.0/8"])).Set;
        foreach (var policy in set.Policies)
        {
            var api = KubernetesYaml.Deserialize<V1NetworkPolicy>(KubernetesWriter.Write(policy, "evidence.json#x"), strict: true);
            Assert.Equal((policy.Name, policy.Namespace), (api.Metadata.Name, api.Metadata.NamespaceProperty));
            Assert.NotEmpty(api.Spec.PolicyTypes);
        }
    }

    [Fact]
    public void A_policy_reads_as_a_person_would_write_it()
    {
        var set = PolicySuggester.Suggest(Input([Edge(App("web"), App("api"), 8080)])).Set;
        Assert.Equal("""
            apiVersion: "networking.k8s.io/v1"
            kind: "NetworkPolicy"
            metadata:
              name: "api-deployment"
              namespace: "shop"
              annotations:
                "flows/evidence": "evidence.json#shop/api-deployment"
            spec:
              podSelector:
                matchLabels:
                  "app": "api"
              policyTypes:
              - "Ingress"
              ingress:
              - from:
                - namespaceSelector:
                    matchLabels:
                      "kubernetes.io/metadata.name": "shop"
                  podSelector:
                    matchLabels:
                      "app": "web"
                ports:
                - protocol: "TCP"
                  port: 8080

            """, KubernetesWriter.Write(set.Policies[0], "evidence.json#shop/api-deployment"), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Names_that_kubernetes_would_refuse_are_not_written()
    {
        var policy = SegmentPolicy.For("shop", "p", LabelSelector.Everything) with { Ingress = [] };
        Assert.Throws<FlowsException>(() => KubernetesWriter.Write(policy with { Namespace = "a\nb" }));
        Assert.Throws<FlowsException>(() => KubernetesWriter.Write(policy with { Name = "../p" }));
        Assert.Throws<FlowsException>(() => KubernetesWriter.Write(policy with { Target = PodSegment.In("shop", LabelSelector.Of([new("a", "b\n")])) }));
        Assert.Throws<FlowsException>(() => KubernetesWriter.Write(policy with { Ingress = null }));
    }

    [Fact]
    public void Names_are_legal_stable_and_distinct() => Gen.Select(Gen.String, Gen.String).Sample((a, b) =>
    {
        var (first, second) = (KubernetesGrammar.NameOf(a, "Deployment"), KubernetesGrammar.NameOf(b, "Deployment"));
        return KubernetesGrammar.IsDnsSubdomain(first) && first.Length <= 63 && (a == b || first != second);
    });
}
