using Xunit;

namespace Flows.Tests.Policy;

/// <summary>The engine against the plain reading of the same set: 300 random sets under every dialect, 84,000 connections.</summary>
public sealed class EvaluatorOracleTests
{
    [Fact]
    public void Verdicts_deciding_rules_and_isolation_are_those_of_plain_loops() => Assert.Null(EvaluatorCases.Run(seeds: 300));
}
