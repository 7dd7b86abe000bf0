using System.IO.Enumeration;
using Flows.Core;

namespace Flows.Capture.Live;

/// <summary>
/// Which interfaces to capture on, as the user wrote it: names, globs with * and ?, and exclusions with a leading exclamation mark, which
/// win over all others. Only exclusions mean "all but these".
/// </summary>
internal sealed class InterfacePatterns
{
    /// <summary>IFNAMSIZ less its terminator (linux/if.h).</summary>
    private const int NameBytesMax = 15;

    private readonly string[] excluded;

    /// <exception cref="FlowsException">A pattern that can match nothing, or <c>any</c>, which shows a packet once for each interface that it crosses.</exception>
    public InterfacePatterns(IReadOnlyList<string> patterns)
    {
        foreach (var pattern in patterns)
        {
            Check(pattern);
        }

        excluded = [.. patterns.Where(IsExclusion).Select(pattern => pattern[1..])];
        var chosen = patterns.Where(pattern => !IsExclusion(pattern)).Distinct(StringComparer.Ordinal);

        // Names before globs, so that a name is served first.
        Chosen = excluded.Length == patterns.Count ? ["*"] : [.. chosen.OrderBy(IsGlob)];
        Names = Chosen.Count(pattern => !IsGlob(pattern));
    }

    /// <summary>Names, then globs.</summary>
    public IReadOnlyList<string> Chosen { get; }

    /// <summary>How many of <see cref="Chosen"/> are names.</summary>
    public int Names { get; }

    public bool HasGlobs => Names < Chosen.Count;

    /// <summary>Index in <see cref="Chosen"/> of the first pattern that an interface's name fits; -1 for one that is not to be captured.</summary>
    public int Match(string name)
    {
        foreach (var pattern in excluded)
        {
            if (Fits(pattern, name))
            {
                return -1;
            }
        }

        for (var index = 0; index < Chosen.Count; index++)
        {
            if (Fits(Chosen[index], name))
            {
                return index;
            }
        }

        return -1;
    }

    private static bool Fits(string pattern, string name) =>
        IsGlob(pattern) ? FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false) : pattern == name;

    private static bool IsExclusion(string pattern) => pattern.StartsWith('!');

    private static bool IsGlob(string pattern) => pattern.AsSpan().ContainsAny('*', '?');

    private static void Check(string pattern)
    {
        var name = IsExclusion(pattern) ? pattern[1..] : pattern;
        if (name.Length == 0 || name.AsSpan().ContainsAny(" \t/\\") || (!IsGlob(name) && name.Length > NameBytesMax))
        {
            throw new FlowsException(ExitCode.Usage, $"'{pattern}' names no network interface: write a name such as eth0, a glob such as 'veth*', or an exclusion such as '!lo'.");
        }

        if (pattern == "any")
        {
            throw new FlowsException(
                ExitCode.Usage, "There is no network interface 'any' to capture on here: it would show a packet once for each that it crosses; use '*' for all, or '!lo' for all but lo.");
        }
    }
}
