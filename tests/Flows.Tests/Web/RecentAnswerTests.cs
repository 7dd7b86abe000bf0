using Flows.Core;
using Flows.Web;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Web;

public sealed class RecentAnswerTests
{
    private readonly FakeTimeProvider time = new();
    private int made;

    [Fact]
    public void The_same_question_is_answered_once_while_the_answer_is_young()
    {
        using var recent = Recent(TimeSpan.Zero);
        Assert.Equal("a1", recent.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("a1", recent.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a2", recent.Ask("a", fresh: false));
        Assert.Equal("b3", recent.Ask("b", fresh: false));
        Assert.Equal("b4", recent.Ask("b", fresh: true));
        Assert.Equal("b4", recent.Ask("b", fresh: false));
    }

    [Fact]
    public void What_took_long_lasts_longer_but_not_unused()
    {
        using var recent = Recent(TimeSpan.FromSeconds(30));
        Assert.Equal("a1", recent.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal("a1", recent.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("a1", recent.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("a2", recent.Ask("a", fresh: false));

        using var unused = Recent(TimeSpan.FromMinutes(2));
        Assert.Equal("a3", unused.Ask("a", fresh: false));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("a4", unused.Ask("a", fresh: false));
    }

    [Fact]
    public void A_fault_is_not_kept()
    {
        using var recent = new RecentAnswer<string, string>(question => ++made == 1 ? throw new FlowsException(ExitCode.Failed, "not now") : question + made, time);
        Assert.Throws<FlowsException>(() => recent.Ask("a", fresh: false));
        Assert.Equal("a2", recent.Ask("a", fresh: false));
    }

    [Fact]
    public async Task Who_asks_meanwhile_waits_for_the_same_answer()
    {
        using var began = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var recent = new RecentAnswer<string, string>(
            question =>
            {
                began.Set();
                go.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
                return question + Interlocked.Increment(ref made);
            },
            time);
        var cancel = TestContext.Current.CancellationToken;
        var first = Task.Run(() => recent.Ask("a", fresh: false), cancel);
        began.Wait(TimeSpan.FromSeconds(60), cancel);
        var second = Task.Run(() => recent.Ask("a", fresh: false), cancel);
        go.Set();
        Assert.Equal(["a1", "a1"], await Task.WhenAll(first, second));
    }

    private RecentAnswer<string, string> Recent(TimeSpan takes) => new(
        question =>
        {
            time.Advance(takes);
            return question + ++made;
        },
        time);
}
