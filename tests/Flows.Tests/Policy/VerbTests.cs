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
