using System.CommandLine;
using Flows.Core;
using Flows.Verbs;
using Xunit;

namespace Flows.Tests.Policy;

public sealed class VerbTests
{
    [Theory]
    [InlineData("policy", "suggest", "--store", "s", "--out", "o", "--level", "namespace", "--target", "kubernetes", "--since", "2h", "--cluster-range", "10.0.0.0/8", "--cluster-range", "fd00::/8", "-o", "json")]
    [InlineData("policy", "test", "--store", "s", "--policies", "p", "--cluster", "c", "--until", "now")]
    [InlineData("policy", "test", "--store", "s", "--policies", "p", "--against", "live", "--for", "10m", "--output", "sarif", "--dialect", "cilium")]
    [InlineData("policy", "explain", "shop/web", "shop/api", "53/udp", "--store", "s", "--policies", "p", "--since", "2h", "--output", "json")]
    [InlineData("policy", "diff", "cluster", "traffic", "--store", "s", "--exit-code", "--output", "csv")]
    [InlineData("policy", "diff", "a", "b", "--fleet", "f")]
    [InlineData("policy", "plan", "--store", "s", "--current", "c")]
    public void The_documented_flags_parse(params string[] args) => Assert.Empty(Root().Parse(args).Errors);

    [Theory]
    [InlineData("good.yaml", ExitCode.Ok, "policy", "validate", "good.yaml", "-o", "json")]
    [InlineData("bad.yaml", ExitCode.No, "policy", "validate", "good.yaml", "bad.yaml")]
    [InlineData("asked", ExitCode.Ok, "policy", "evaluate", "--cluster", "cluster.yaml", "--policies", "good.yaml", "--connections", "asked.jsonl", "-o", "json")]
    [InlineData("invalid set", ExitCode.Usage, "policy", "evaluate", "--cluster", "cluster.yaml", "--policies", "bad.yaml", "--connections", "asked.jsonl", "-o", "json")]
    [InlineData("rest of it", ExitCode.Ok, "policy", "evaluate", "--cluster", "cluster.yaml", "--policies", "bad.yaml", "--connections", "asked.jsonl", "--keep-going")]
    [InlineData("no pod", ExitCode.Usage, "policy", "evaluate", "--cluster", "cluster.yaml", "--policies", "good.yaml", "--connections", "nobody.jsonl")]
    [InlineData("no dialect", ExitCode.Usage, "policy", "evaluate", "--cluster", "cluster.yaml", "--policies", "good.yaml", "--connections", "asked.jsonl", "--dialect", "x")]
    [InlineData("reach", ExitCode.Ok, "policy", "connectivity", "--cluster", "cluster.yaml", "--policies", "good.yaml", "-o", "json")]
    [InlineData("exact", ExitCode.Ok, "policy", "render", "--policies", "good.yaml", "--target", "calico", "--out", "out")]
    public async Task Verbs_about_policies_end_as_documented(string why, ExitCode expected, params string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("flows-verbs-");
        try
        {
            const string head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n";
            const string pod = "- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, status: {phase: Running, podIP: 10.0.0.1}}\n";
            File.WriteAllText(Path.Combine(folder.FullName, "good.yaml"), head + "spec: {podSelector: {}}\n");
            File.WriteAllText(Path.Combine(folder.FullName, "bad.yaml"), head + "spec: {podSelector: {}, ingress: [{ports: [{port: 0}]}]}\n---\n" + head.Replace("name: p", "name: q", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(folder.FullName, "cluster.yaml"), $"apiVersion: v1\nkind: List\nitems:\n{pod}{pod.Replace("web", "api", StringComparison.Ordinal).Replace("0.1", "0.2", StringComparison.Ordinal)}");
            File.WriteAllText(Path.Combine(folder.FullName, "asked.jsonl"), "{\"src\":\"shop/web\",\"dst\":\"shop/api\",\"port\":80,\"protocol\":\"TCP\"}\n{\"src\":\"192.0.2.1\",\"dst\":\"10.0.0.2\",\"port\":\"http\"}\n");
            File.WriteAllText(Path.Combine(folder.FullName, "nobody.jsonl"), "{\"src\":\"shop/nobody\",\"dst\":\"shop/api\",\"port\":80}\n");
            var paths = args.Select(arg => arg == "out" || Path.GetExtension(arg) is ".yaml" or ".jsonl" ? Path.Combine(folder.FullName, arg) : arg).ToArray();
            Assert.True(expected == await CommandLine.RunAsync(Root(), paths), why);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("policy", "suggest", "--store", "s", "--out", "o", "--level", "galaxy")]
    [InlineData("policy", "suggest", "--store", "s")]
    [InlineData("policy", "suggest", "--store", "s", "--out", "o", "--cluster-range", "10.0.0.0")]
    [InlineData("policy", "test", "--store", "s", "--policies", "/nonexistent")]
    [InlineData("policy", "diff", "cluster", "traffic")]
    [InlineData("policy", "explain", "a", "b")]
    public async Task Wrong_questions_end_with_exit_code_2(params string[] args) =>
        Assert.Equal(ExitCode.Usage, await CommandLine.RunAsync(Root(), args));

    private static RootCommand Root() => [PolicyVerb.Create()];
}
