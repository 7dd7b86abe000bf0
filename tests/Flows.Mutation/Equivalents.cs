namespace Flows.Mutation;

/// <summary>Mutants that no test can tell from the original, each with the reason. One that is killed after all is reported, so that the list stays honest.</summary>
internal static class Equivalents
{
    private const string Cache = "how many profiles are remembered changes no verdict, only time and memory";
    private const string Boundary64 = "64 bits of a mask are all bits, whichever way they are made";

    public static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["Evaluate/PartyProfile.cs: 2 -> 3"] = "one more place in an array that nobody asks for",
        ["Evaluate/PartyProfile.cs: 1 -> 2"] = "any negative number sets what adds up apart from ranks",
        ["Evaluate/PolicyEvaluator.cs: 2 -> 3"] = "a denial weighs more than an allowance either way",
        ["Evaluate/PolicyEvaluator.cs: 0 -> default"] = "the default is 0",
        ["Evaluate/PolicyEvaluator.cs: 50_000 -> 50001"] = Cache,
        ["Evaluate/PolicyEvaluator.cs: profiles.Count == ProfilesMax -> !(profiles.Count == ProfilesMax)"] = Cache,
        ["Evaluate/PolicyEvaluator.cs: profiles.Count == ProfilesMax -> profiles.Count != ProfilesMax"] = Cache,
        ["Evaluate/PolicyEvaluator.cs: profiles.Clear(); -> ;"] = Cache,
        ["Model/LabelSelector.cs: all.Length > 1 -> all.Length >= 1"] = "sorting a single requirement changes nothing",
        ["Model/NetBlock.cs: length >= 64 -> length > 64"] = Boundary64,
        ["Model/NetBlock.cs: bits >= 64 -> bits > 64"] = Boundary64,
        ["Model/NetBlock.cs: 64 -> 65"] = Boundary64,
    };
}
