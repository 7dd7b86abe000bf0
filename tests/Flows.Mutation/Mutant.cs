using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Flows.Mutation;

/// <summary>One small fault in one place of a file.</summary>
/// <param name="File">Relative to the sources of the core.</param>
/// <param name="Line">Counted from 1.</param>
internal sealed record Mutant(string File, int Line, TextSpan Span, string Original, string Mutated)
{
    /// <summary>Tells a mutant from others without its line, which moves with every edit.</summary>
    public string Key => $"{File}: {Flat(Original)} -> {Flat(Mutated)}";

    public override string ToString() => $"{File}:{Line}: {Flat(Original)} -> {Flat(Mutated)}";

    public SourceText Apply(SourceText text) => text.Replace(Span, Mutated);

    public static Mutant Of(string file, SyntaxNodeOrToken at, string mutated) =>
        new(file, at.GetLocation()!.GetLineSpan().StartLinePosition.Line + 1, at.Span, at.ToString(), mutated);

    private static string Flat(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
