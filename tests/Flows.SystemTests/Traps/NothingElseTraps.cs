using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>What no trap asks about.</summary>
[Collection(TrapSuite.Name)]
public sealed class NothingElseTraps(TrapRun run)
{
    [Fact]
    public async Task Everything_else_in_the_store_is_questions_to_the_name_server_and_what_nodes_ask_each_other_in_the_tunnel()
    {
        await run.DoneAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(run.Report);

        // A tunnel also carries what is no IP (who has which address?): that is traffic between the nodes. How often they ask is the kernel's choice.
        string[] expected =
        [
            "node west-1 -> node west-2 udp/4789",
            "node west-2 -> node west-1 udp/4789",
            "pod shop/t10-client-100 -> unknown 203.0.113.53 udp/53",
            "pod shop/t10-client-101 -> unknown 203.0.113.53 udp/53",
        ];
        Assert.Equal(expected, run.Others.Select(edge => edge[..edge.IndexOf(" |", StringComparison.Ordinal)]).Distinct().Order(StringComparer.Ordinal));
    }
}
