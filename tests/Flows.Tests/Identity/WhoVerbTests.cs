using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Verbs;
using Xunit;

namespace Flows.Tests.Identity;

public sealed class WhoVerbTests
{
    private static readonly Ledger Known = Said.LedgerOf(
        Said.That(Said.Pod("old"), "10.0.0.1", 0, null, 1),
        Said.That(Said.Pod("old"), "10.0.0.1", 0, 100 * UnixTime.Second, 100 * UnixTime.Second),
        Said.That(Said.Of(EntityKind.Cidr, "lab"), "10.0.0.0/24", 0, 300 * UnixTime.Second, 1),
        Said.That(Said.Pod("new", "west"), "10.0.0.1", 200 * UnixTime.Second, null, 200 * UnixTime.Second));

    private static (ExitCode Code, string Text) Ask(long second, string? scope = null, string format = "table")
    {
        using var text = new StringWriter();
        var code = WhoVerb.Answer(Known, NetAddress.Parse("10.0.0.1"), second * UnixTime.Second, scope, format, text);
        return (code, text.ToString());
    }

    [Fact]
    public void Holder_of_that_time_is_named_with_the_history()
    {
        var (code, text) = Ask(50);

        Assert.Equal(ExitCode.Ok, code);
        Assert.StartsWith("10.0.0.1 in scope east at 1970-01-01T00:00:50.000000Z: pod shop/old", text, StringComparison.Ordinal);
        Assert.Contains("superseded", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_scope_answers_unless_one_is_given()
    {
        var both = Ask(250).Text;
        Assert.Contains("cidr lab, as part of 10.0.0.0/24", both, StringComparison.Ordinal);
        Assert.Contains("pod shop/new", both, StringComparison.Ordinal);
        Assert.DoesNotContain("lab", Ask(250, "west").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void End_that_nobody_saw_is_shown_as_the_latest_possible()
    {
        var gone = Said.LedgerOf(Said.That(Said.Pod("lost"), "10.0.0.1", 0, 60 * UnixTime.Second, 61 * UnixTime.Second, origin: Origins.Kubernetes) with { EndUncertain = true });
        using var text = new StringWriter();
        WhoVerb.Answer(gone, NetAddress.Parse("10.0.0.1"), 1, scope: null, "table", text);
        Assert.Contains("by 1970-01-01T00:01:00.000000Z", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("kubernetes", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_known_is_the_answer_no()
    {
        var (code, text) = Ask(150, "west");

        Assert.Equal(ExitCode.No, code);
        Assert.StartsWith("nobody is known to have held 10.0.0.1 at 1970-01-01T00:02:30.000000Z", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_answers_and_history()
    {
        using var document = JsonDocument.Parse(Ask(50, format: "json").Text);

        Assert.Equal("as_of", document.RootElement.GetProperty("answers")[0].GetProperty("resolved_by").GetString());
        Assert.Equal("old", document.RootElement.GetProperty("answers")[0].GetProperty("candidates")[0].GetProperty("name").GetString());
        Assert.Equal(4, document.RootElement.GetProperty("history").GetArrayLength());
    }
}
