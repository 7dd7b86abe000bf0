using System.Globalization;
using Flows.Mutation;

// usage: Flows.Mutation REPOSITORY [--seeds N]
// Breaks the evaluator of policies in one place after another, and asks whether its own cases notice.
const double Bar = 95;
string[] evaluator =
[
    "Evaluate/PolicyEvaluator.cs", "Evaluate/CompiledSet.cs", "Evaluate/PartyProfile.cs", "Evaluate/SegmentMatcher.cs", "Evaluate/Dialect.cs", "Evaluate/Party.cs", "Evaluate/PolicyDecision.cs",
    "Model/LabelRequirement.cs", "Model/LabelSelector.cs", "Model/RangeSegment.cs", "Model/NetBlock.cs", "Model/NameSegment.cs", "Model/AnySegment.cs", "Model/Tier.cs", "Model/SegmentPolicy.cs",
];
var root = args[0];
var seeds = args is [_, "--seeds", var given] ? int.Parse(given, CultureInfo.InvariantCulture) : 60;
var workshop = new Workshop(Path.Combine(root, "src/Flows.Core/Policy"), Path.Combine(root, "tests/Flows.Tests/Policy"));
if (workshop.Try(null, seeds) is { Fate: not Fate.Survived } broken)
{
    Console.Error.WriteLine($"The evaluator fails its own cases before anything is broken: {broken.Why}");
    return 1;
}

var mutants = evaluator.SelectMany(workshop.Mutants).ToList();
List<(Mutant Mutant, Fate Fate)> ends = [];
Parallel.ForEach(mutants, new ParallelOptions { MaxDegreeOfParallelism = 2 }, mutant =>
{
    var (fate, _) = workshop.Try(mutant, seeds);
    lock (ends)
    {
        ends.Add((mutant, fate));
    }
});

var tried = ends.Where(end => end.Fate != Fate.Uncompilable).OrderBy(end => end.Mutant.File, StringComparer.Ordinal).ThenBy(end => end.Mutant.Line).ToList();
var survived = tried.Where(end => end.Fate == Fate.Survived).Select(end => end.Mutant).ToList();
var equal = survived.Where(mutant => Equivalents.Reasons.ContainsKey(mutant.Key)).ToList();
foreach (var mutant in equal)
{
    Console.WriteLine($"equivalent  {mutant}\n            {Equivalents.Reasons[mutant.Key]}");
}

foreach (var mutant in survived.Except(equal))
{
    Console.WriteLine($"SURVIVED    {mutant}");
}

foreach (var stale in Equivalents.Reasons.Keys.Except(survived.Select(mutant => mutant.Key)))
{
    Console.WriteLine($"not needed  {stale}");
}

var killed = tried.Count - survived.Count;
var score = 100.0 * killed / (tried.Count - equal.Count);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{mutants.Count} faults, {tried.Count} compile, {killed} killed, {equal.Count} equivalent, {survived.Count - equal.Count} survived: {score:F1} % of the others are killed (bar {Bar} %)"));
return score >= Bar ? 0 : 3;
