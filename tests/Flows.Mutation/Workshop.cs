using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Flows.Mutation;

/// <summary>How a mutant ended.</summary>
internal enum Fate
{
    /// <summary>The compiler refuses it: no mutant at all.</summary>
    Uncompilable,
    Killed,
    Survived,
}

/// <summary>
/// Compiles the model, the evaluator and their cases into one assembly, with one file changed, and runs the cases in it. Everything else comes from
/// the built core; where both have a type, the source's wins.
/// </summary>
internal sealed class Workshop
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, SourceText> sources = [];
    private readonly CSharpCompilation whole;
    private readonly Dictionary<string, SyntaxTree> trees;

    /// <param name="core">The folder of the core's policies.</param>
    /// <param name="cases">The folder of their tests.</param>
    public Workshop(string core, string cases)
    {
        foreach (var folder in (string[])["Model", "Evaluate"])
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(core, folder), "*.cs").Order(StringComparer.Ordinal).Where(file => Path.GetFileName(file) != "Connectivity.cs"))
            {
                sources[$"{folder}/{Path.GetFileName(file)}"] = SourceText.From(File.ReadAllText(file));
            }
        }

        trees = sources.ToDictionary(source => source.Key, source => CSharpSyntaxTree.ParseText(source.Value, Options, source.Key));
        var usings = string.Concat(((string[])["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading"]).Select(name => $"global using global::{name};\n"));
        var tests = ((string[])["EvaluatorCases.cs", "NameCases.cs", "RandomSets.cs", "NaiveJudge.cs"]).Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(cases, file)), Options, file));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path));

        // Under the name of the tests it sees what the core shows to them.
        whole = CSharpCompilation.Create("Flows.Tests", [.. trees.Values, .. tests, CSharpSyntaxTree.ParseText(usings, Options)], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable, concurrentBuild: false));
    }

    public IEnumerable<string> Files => sources.Keys;

    private static CSharpParseOptions Options { get; } = new(LanguageVersion.CSharp14);

    public IReadOnlyList<Mutant> Mutants(string file)
    {
        var mutator = new Mutator(file);
        mutator.Visit(trees[file].GetRoot());
        return [.. mutator.Found.DistinctBy(mutant => (mutant.Span, mutant.Mutated))];
    }

    /// <summary>The cases against the evaluator with this fault, or as it is.</summary>
    public (Fate Fate, string Why) Try(Mutant? mutant, int seeds)
    {
        var compilation = mutant is null
            ? whole
            : whole.ReplaceSyntaxTree(trees[mutant.File], CSharpSyntaxTree.ParseText(mutant.Apply(sources[mutant.File]), Options, mutant.File));
        using var image = new MemoryStream();
        var built = compilation.Emit(image);
        if (!built.Success)
        {
            return (Fate.Uncompilable, string.Join('\n', built.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error)));
        }

        image.Position = 0;
        var context = new AssemblyLoadContext("mutant", isCollectible: true);
        try
        {
            return Run(context.LoadFromStream(image), seeds);
        }
        finally
        {
            context.Unload();
        }
    }

    private static (Fate Fate, string Why) Run(Assembly assembly, int seeds)
    {
        var run = assembly.GetType("Flows.Tests.Policy.EvaluatorCases")!.GetMethod("Run")!;
        (Fate, string) end = (Fate.Killed, "it never ended");
        var thread = new Thread(() =>
        {
            try
            {
                end = run.Invoke(null, [seeds]) is string wrong ? (Fate.Killed, wrong) : (Fate.Survived, "");
            }
            catch (TargetInvocationException fault)
            {
                end = (Fate.Killed, fault.InnerException!.GetType().Name);
            }
        }) { IsBackground = true };
        thread.Start();
        thread.Join(Patience);
        return end;
    }
}
