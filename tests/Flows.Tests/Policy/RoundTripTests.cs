using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>What a writer writes and a reader reads means the same, or the loss report says what does not.</summary>
public sealed class RoundTripTests
{
    public static TheoryData<string> Targets => [.. PolicyRenderer.Targets];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_set_within_the_target_comes_back_equal(string target)
    {
        var exact = 0;
        for (var seed = 0; seed < 250; seed++)
        {
            var random = Sayable(target, seed);
            var set = random.Set();
            var rendering = PolicyRenderer.Render(set, target);
            if (!rendering.IsExact)
            {
                continue;
            }

            exact++;
            var back = PolicyReader.Read(rendering.Documents);
            var (before, after) = (new PolicyEvaluator(set, RandomSets.NamespaceLabels), new PolicyEvaluator(back, RandomSets.NamespaceLabels));
            var parties = random.Parties();
            for (var i = 0; i < 60; i++)
            {
                var connection = random.Connection(parties);
                var (one, other) = (before.Evaluate(connection), after.Evaluate(connection));
                Assert.True((one.Egress.Allowed, one.Ingress.Allowed) == (other.Egress.Allowed, other.Ingress.Allowed),
                    $"seed {seed}: {connection}: {one} became {other}\n{ModelJson.Write(set)}\n{string.Join("\n---\n", rendering.Files.Select(file => file.Text))}");
            }
        }

        Assert.True(exact >= 100, $"only {exact} of 250 sets were within the target");
    }

    /// <summary>Whatever is lost, a rendering never lets through more than its losses own up to.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void A_set_beyond_the_target_loses_only_what_is_reported(string target)
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = Everything(seed);
            var set = random.Set();
            var rendering = PolicyRenderer.Render(set, target);
            var back = PolicyReader.Read(rendering.Documents);
            var (before, after) = (new PolicyEvaluator(set, RandomSets.NamespaceLabels), new PolicyEvaluator(back, RandomSets.NamespaceLabels));
            var opens = rendering.Losses.Any(loss => loss.Effect.HasFlag(LossEffect.Opens));
            var closes = rendering.Losses.Any(loss => loss.Effect.HasFlag(LossEffect.Closes));
            var parties = random.Parties();
            for (var i = 0; i < 40; i++)
            {
                var connection = random.Connection(parties);
                var (one, other) = (before.Evaluate(connection).Allowed, after.Evaluate(connection).Allowed);
                Assert.True(one == other || (other ? opens : closes), $"seed {seed}: {connection}: {one} became {other}\n{ModelJson.Write(set)}\n{string.Join('\n', rendering.Losses)}");
            }
        }
    }

    private static RandomSets Sayable(string target, int seed) => target switch
    {
        "kubernetes" => new RandomSets(seed),
        "cluster" => new RandomSets(seed) { Denies = true, Passes = true, Guards = true, ClusterWide = true, Hosts = true },
        "cilium" => new RandomSets(seed) { Denies = true, Hosts = true, Boundaries = true, Unions = true, Open = true, ClusterWide = true },
        "calico" or "calico-staged" => new RandomSets(seed) { Denies = true, Passes = true, Tiers = true, Orders = true, Unions = true, RichLabels = true, ClusterWide = true },
        _ => Everything(seed),
    };

    private static RandomSets Everything(int seed) => new(seed)
    {
        Denies = true, Passes = true, Tiers = true, Orders = true, Hosts = true, Names = true, Boundaries = true, Unions = true, RichLabels = true, Open = true, ClusterWide = true,
    };
}
