using System.Text.RegularExpressions;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Help speaks of what is there, all of it and no more.</summary>
public sealed partial class HelpTests
{
    private static readonly string[] Verbs = ["demo", "doctor", "up", "collect", "serve", "replay", "sql", "map", "who", "inventory", "labels", "policy"];

    // Words of the design that are not built yet.
    private static readonly string[] Unbuilt = ["--tls", "--cert", "retention", "Kafka", "completion"];

    [Fact]
    public async Task Root_lists_the_verbs_and_hides_what_is_not_for_people()
    {
        var help = await FlowsProcess.RunAsync("--help");
        Assert.True(help.ExitCode == 0 && help.Error.Length == 0, help.ToString());
        var commands = help.Output[help.Output.IndexOf("Commands:", StringComparison.Ordinal)..];
        Assert.Equal(Verbs, VerbLine().Matches(commands).Select(match => match.Groups[1].Value));
        Assert.DoesNotContain("demo-pod", help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("doctor")]
    [InlineData("up")]
    [InlineData("collect")]
    [InlineData("serve")]
    [InlineData("replay")]
    [InlineData("sql")]
    [InlineData("map")]
    [InlineData("who")]
    [InlineData("inventory", "check")]
    [InlineData("labels")]
    [InlineData("policy", "suggest")]
    [InlineData("policy", "test")]
    [InlineData("policy", "evaluate")]
    [InlineData("policy", "validate")]
    [InlineData("policy", "connectivity")]
    [InlineData("policy", "render")]
    [InlineData("policy", "explain")]
    [InlineData("policy", "diff")]
    [InlineData("policy", "plan")]
    public async Task Verb_explains_itself_with_an_example(params string[] verb)
    {
        var help = await FlowsProcess.RunAsync([.. verb, "--help"]);
        Assert.True(help.ExitCode == 0 && help.Error.Length == 0, help.ToString());
        Assert.Matches($@"Examples?:[\s\S]*flows {string.Join(' ', verb)} ", help.Output);
        Assert.All(Unbuilt, word => Assert.DoesNotContain(word, help.Output, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("--until-stdin-closes", help.Output, StringComparison.Ordinal);
    }

    // A verb stands two columns in; the lines of its description stand further right.
    [GeneratedRegex(@"^  ([a-z][a-z-]*)\b", RegexOptions.Multiline)]
    private static partial Regex VerbLine();
}
