using System.CommandLine;

namespace Flows.Benchmarks.Identity;

/// <summary><c>identity</c>: the ledger's figures.</summary>
internal static class IdentityCommand
{
    public const string Name = "identity";

    public static Command Create() => new(Name, "Measure the identity ledger.") { LookupCommand.Create(), LearnCommand.Create() };
}
