using System.Text.Json;
using Flows.Capture.Doctor;
using Flows.Core;
using Flows.Verbs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Doctor;

/// <summary>How the doctor runs its checks and says what they found.</summary>
public sealed class DoctorVerbTests
{
    private const int Columns = 100;

    private sealed class Says(string id, Func<Finding> look) : Check(id, "kernel")
    {
        public override Finding Look(NodeView node) => look();
    }

    [Fact]
    public async Task A_check_that_hangs_or_throws_costs_only_its_own_answer()
    {
        using var release = new ManualResetEventSlim();
        var time = new FakeTimeProvider();
        Check[] checks =
        [
            new Says("hangs", () =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return new Finding("hangs", FindingStatus.Ok, "at last");
            }),
            new Says("throws", () => throw new InvalidOperationException("a\u001b[31mred\u001b[0m fault")),
            new Says("answers", () => new Finding("answers", FindingStatus.Ok, "well")),
        ];

        var looking = Examination.LookAsync(checks, new NodeView(), TimeSpan.FromSeconds(1), time);
        time.Advance(TimeSpan.FromSeconds(2));
        var findings = await looking;
        release.Set();
        Assert.Equal(["hangs", "throws", "answers"], findings.Select(finding => finding.Check));
        Assert.Equal((FindingStatus.Unknown, "no answer within 1 s"), (findings[0].Status, findings[0].Found));
        Assert.Equal(FindingStatus.Unknown, findings[1].Status);
        Assert.DoesNotContain('\u001b', findings[1].Found);
    }

    [Theory]
    [InlineData(FindingStatus.Ok, ExitCode.Ok)]
    [InlineData(FindingStatus.Unknown, ExitCode.Ok)]
    [InlineData(FindingStatus.Warn, ExitCode.Ok)]
    [InlineData(FindingStatus.Fail, ExitCode.No)]
    public void Only_a_failure_is_a_no(FindingStatus worst, ExitCode expected)
    {
        var (checks, findings) = Two(worst);
        Assert.Equal(expected, DoctorVerb.Answer(checks, findings, "table", TextWriter.Null));
    }

    [Fact]
    public void Json_has_every_finding_with_all_of_its_fields()
    {
        var (checks, findings) = Two(FindingStatus.Warn);
        using var to = new StringWriter();
        DoctorVerb.Answer(checks, findings, "json", to);
        using var document = JsonDocument.Parse(to.ToString());
        Assert.Equal("warn", document.RootElement.GetProperty("status").GetString());
        var second = document.RootElement.GetProperty("findings")[1];
        Assert.Equal(["check", "area", "status", "found", "consequence", "mend"], second.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("second", "warn", "b"), (second.GetProperty("check").GetString(), second.GetProperty("status").GetString(), second.GetProperty("found").GetString()));
    }

    [Fact]
    public async Task Table_fits_its_columns_but_for_commands()
    {
        using var node = new FakeNode();
        node.Rights(0, 0);
        node.Setting("events", 2);
        var findings = await Examination.LookAsync(NodeChecks.All, node.View, TimeSpan.FromMinutes(1), TimeProvider.System);
        using var to = new StringWriter();
        Assert.Equal(ExitCode.No, DoctorVerb.Answer(NodeChecks.All, findings, "table", to));
        var lines = to.ToString().ReplaceLineEndings("\n").Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= Columns || line.TrimStart().StartsWith("mend:", StringComparison.Ordinal) || line.TrimStart().StartsWith("or:", StringComparison.Ordinal), line));
        Assert.Equal(Check.Areas.Where(area => NodeChecks.All.Any(check => check.Area == area)), lines.Where(Check.Areas.Contains));
        Assert.Contains("  FAIL     cap_net_raw            CAP_NET_RAW is missing", to.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 FAIL", lines[^2], StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_are_stable_words_and_unique()
    {
        var ids = NodeChecks.All.Select(check => check.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[a-z][a-z_]*$", id));
        Assert.All(NodeChecks.All, check => Assert.Contains(check.Area, Check.Areas));
    }

    private static (Check[] Checks, Finding[] Findings) Two(FindingStatus second)
    {
        Finding[] findings = [new("first", FindingStatus.Ok, "a"), new("second", second, "b", "c", "d\ne")];
        return ([.. findings.Select(finding => new Says(finding.Check, () => finding))], findings);
    }
}
