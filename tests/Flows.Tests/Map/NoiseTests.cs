using Flows.Core.Map;
using Xunit;

namespace Flows.Tests.Map;

public sealed class NoiseTests
{
    [Fact]
    public void Source_that_tries_many_ports_in_vain_is_a_scanner()
    {
        var scan = Enumerable.Range(1, 20).Select(port => Drawn.Edge(Drawn.Pod("scan", ""), Drawn.Pod("db", "db"), (ushort)port, refused: 1))
            .Append(Drawn.Edge(Drawn.Pod("scan", ""), Drawn.Pod("db", "db"), 5432, answered: 1)).ToArray();

        Assert.Equal([Drawn.Pod("scan", "").Id], Noise.Scanners(scan));
    }

    [Fact]
    public void Source_that_tries_many_addresses_in_vain_is_a_scanner()
    {
        var sweep = Enumerable.Range(1, 10).Select(host => Drawn.Edge(Drawn.Pod("scan", ""), Drawn.Unknown($"10.1.0.{host}"), 22, unanswered: 1)).ToArray();

        Assert.Single(Noise.Scanners(sweep));
        Assert.Empty(Noise.Scanners(sweep[..9]));
    }

    [Fact]
    public void Poller_whose_connections_are_mostly_answered_is_never_a_scanner()
    {
        var scrape = Enumerable.Range(1, 40).Select(host => Drawn.Edge(Drawn.Pod("prometheus", ""), Drawn.Unknown($"10.1.0.{host}"), 9100, unanswered: 1))
            .Append(Drawn.Edge(Drawn.Pod("prometheus", ""), Drawn.Pod("db", "db"), 9100, answered: 500)).ToArray();

        Assert.Empty(Noise.Scanners(scrape));
    }

    [Fact]
    public void Poller_with_one_dead_target_in_five_is_no_scanner()
    {
        var scrape = Enumerable.Range(1, 50).Select(host => host % 5 == 0
            ? Drawn.Edge(Drawn.Pod("prometheus", ""), Drawn.Unknown($"10.1.0.{host}"), 9100, unanswered: 900)
            : Drawn.Edge(Drawn.Pod("prometheus", ""), Drawn.Unknown($"10.1.0.{host}"), 9100, answered: 1)).ToArray();

        Assert.Empty(Noise.Scanners(scrape));
    }

    [Fact]
    public void Target_that_ever_answered_is_not_a_failure()
    {
        var flaky = Enumerable.Range(1, 12).Select(host => Drawn.Edge(Drawn.Pod("client", ""), Drawn.Unknown($"10.1.0.{host}"), 80, answered: 1, refused: 50)).ToArray();

        Assert.Empty(Noise.Scanners(flaky));
    }
}
