using CsCheck;
using Flows.Core;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

public sealed class ReaderTests
{
    private const string Head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n";

    [Theory]
    [InlineData("  podSelector: {}\n  ingres: []\n", "spec.ingres is not a field")]
    [InlineData("  podSelector: {matchLabels: {app: yes}}\n", "spec.podSelector.matchLabels.app must be text; put 'yes' in quotes")]
    [InlineData("  podSelector: {matchLabels: {app: 1_000}}\n", "spec.podSelector.matchLabels.app must be text")]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: 70000}]}]\n", "spec.ingress[0].ports[0].port 70000 is not a port")]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: http, endPort: 90}]}]\n", "spec.ingress[0].ports[0].endPort cannot follow a named port")]
    [InlineData("  podSelector: {}\n  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}]\n", "spec.egress[0].to[0].ipBlock.cidr '10.0.0.0/33' is not an address range")]
    [InlineData("  podSelector: {}\n  egress: [{to: [{}]}]\n", "spec.egress[0].to[0] must have")]
    [InlineData("  podSelector: {}\n  ingress: [null]\n", "spec.ingress[0] must be an object")]
    [InlineData("  podSelector: {}\n  ingress: [{from: [null]}]\n", "spec.ingress[0].from[0] must be an object")]
    [InlineData("  podSelector: [\n", "not YAML or JSON")]
    public void Faults_name_file_line_and_field(string spec, string expected)
    {
        var fault = Assert.ThrowsAny<FlowsException>(() => Read(Head + spec));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.StartsWith("p.yaml, line ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Foreign_kinds_and_newer_versions_are_refused_by_document()
    {
        var fault = Assert.ThrowsAny<FlowsException>(() => Read(Head + "  podSelector: {}\n---\napiVersion: cilium.io/v3\nkind: CiliumNetworkPolicy\n"));
        Assert.StartsWith("p.yaml, document 2, line ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("CiliumNetworkPolicy of cilium.io/v3; this version knows that kind as cilium.io/v2 only", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_documents_and_lists_make_one_set_and_twins_are_refused()
    {
        Assert.Equal(["a/p", "shop/p"], Read(Head + "  podSelector: {}\n---\n" + Head.Replace("shop", "a", StringComparison.Ordinal) + "  podSelector: {}\n").Policies.Select(policy => policy.Id));
        Assert.Contains("stands twice", Assert.ThrowsAny<FlowsException>(() => Read(Head + "  podSelector: {}\n---\n" + Head + "  podSelector: {}\n")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_are_those_of_the_api()
    {
        var policy = Read(Head + "  podSelector: {}\n  egress: [{to: [], ports: [{port: 53}, {protocol: UDP}]}]\n").Policies[0];
        Assert.Empty(policy.Ingress!);
        Assert.Empty(policy.Egress![0].Peers);
        Assert.Equal(["TCP 53", "UDP"], policy.Egress[0].Ports.Select(port => port.ToString()));
        Assert.Null(Read(Head + "  podSelector: {}\n").Policies[0].Egress);
    }

    [Fact]
    public void Nesting_and_aliases_are_bounded()
    {
        Assert.Contains("nested", Assert.ThrowsAny<FlowsException>(() => Read(new string('[', 100_000))).Message, StringComparison.Ordinal);
        Assert.Contains("alias", Assert.ThrowsAny<FlowsException>(() => Read("apiVersion: v1\nkind: List\nitems: &a [*a]\n")).Message, StringComparison.Ordinal);
        Assert.Contains("List", Assert.ThrowsAny<FlowsException>(() => Read("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List}]\n")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_of_any_kind_end_in_a_sentence_not_in_a_crash() => Gen.String.Sample(text =>
    {
        try
        {
            Read(text);
        }
        catch (FlowsException)
        {
        }
    });

    private static PolicySet Read(string text) => KubernetesReader.Read([new PolicyDocument("p.yaml", text)]);
}
