using Flows.Core.Policy;
using Xunit;


namespace Flows.Tests.Policy;

/// <summary>The engine against the plain reading of the same set.</summary>
public sealed class EvaluatorOracleTests
{
    [Fact]
    public void Random_sets_get_the_verdicts_of_plain_loops()
    {
        var judged = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new RandomSets(seed)
            {
                Denies = true, Passes = true, Tiers = true, Orders = true, Hosts = true, Names = true, Boundaries = true, Unions = true, RichLabels = true, Open = true, ClusterWide = true,
            };
            var set = random.Set(8);
            var parties = random.Parties();
            foreach (var dialect in Dialect.All)
            {
                var evaluator = new PolicyEvaluator(set, RandomSets.NamespaceLabels, dialect);
                for (var i = 0; i < 40; i++)
                {
                    var connection = random.Connection(parties);
                    var decision = evaluator.Evaluate(connection);
                    var expected = NaiveJudge.Judge(set, RandomSets.NamespaceLabels, connection, dialect);
                    Assert.True(expected == (decision.Egress.Allowed, decision.Ingress.Allowed), $"seed {seed} {dialect.Name}: {connection}, expected {expected}, got {decision}\n{ModelJson.Write(set)}");
                    judged++;
                }
            }
        }

        Assert.True(judged >= 80_000);
    }
}
