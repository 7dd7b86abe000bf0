using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>The trap of time: a batch that runs once a month.</summary>
[Collection(TrapCollection.Name)]
public sealed class MonthlyTrap(TrapRun run)
{
    internal static void Prepare(TrapLab lab)
    {
        lab.West.Pod("t20-client", "10.10.1.200");
        lab.West.Pod("t20-server", "10.10.2.200");
    }

    internal static void Speak(TrapLab lab) => TrapTalk.Exchange(lab.West1(200), lab.West2(200), 12000);

    [Fact]
    public async Task T20_a_batch_that_runs_once_a_month_is_still_there_after_a_year()
    {
        await run.HoldsAsync(20, "pod shop/t20-client -> pod shop/t20-server tcp/12000 | 1 answered | as_of as_of | west-1 west-2");
    }

    [Fact]
    public async Task No_edge_belongs_to_no_trap()
    {
        await run.DoneAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(run.Report);
        Assert.Equal(["?"], run.Others);
    }
}
