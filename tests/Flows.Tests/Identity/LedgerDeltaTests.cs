using Flows.Core.Identity;
using Xunit;

namespace Flows.Tests.Identity;

public sealed class LedgerDeltaTests
{
    [Fact]
    public void Second_import_of_the_same_statements_adds_nothing()
    {
        var first = LedgerDelta.Of([], [Said.That(Said.Pod("a", labels: ("v", "1")), "10.0.0.1", 0, null, 1)]);
        var again = LedgerDelta.Of(first, [Said.That(Said.Pod("a", labels: ("v", "1")), "10.0.0.1", 0, null, 2)]);

        Assert.Single(first);
        Assert.Empty(again);
    }

    [Fact]
    public void Changed_label_is_news()
    {
        var first = Said.That(Said.Pod("a", labels: ("v", "1")), "10.0.0.1", 0, null, 1);
        var changed = Said.That(Said.Pod("a", labels: ("v", "2")), "10.0.0.1", 0, null, 2);

        Assert.Equal([changed], LedgerDelta.Of([first], [changed]));
    }

    [Fact]
    public void Interval_that_is_not_mentioned_stays_open()
    {
        var a = Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1);
        var b = Said.That(Said.Pod("b"), "10.0.0.2", 0, null, 2);

        Assert.Equal([b], LedgerDelta.Of([a], [b]));
    }

    [Fact]
    public void Old_statement_that_arrives_late_fills_the_history_and_does_not_win()
    {
        var open = Said.That(Said.Pod("a"), "10.0.0.1", 0, null, 1);
        var closed = Said.That(Said.Pod("a"), "10.0.0.1", 0, 50, 9);

        Assert.Equal([open], LedgerDelta.Of([closed], [open]));
        Assert.Empty(Said.LedgerOf(closed, open).NamesAt("10.0.0.1", 60));
    }
}
