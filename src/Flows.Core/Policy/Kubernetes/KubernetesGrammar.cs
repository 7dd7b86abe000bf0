namespace Flows.Core.Policy;

/// <summary>
/// Which texts the Kubernetes API takes as names and labels (apimachinery's validation of RFC 1123 names and qualified names). Names come
/// from strangers, so everything passes here before it is written, and again after it was read.
/// </summary>
public static class KubernetesGrammar
{
    private const int LabelMax = 63;
    private const int SubdomainMax = 253;

    /// <summary>The name of a namespace: an RFC 1123 label.</summary>
    public static bool IsDnsLabel(string text) => text.Length is > 0 and <= LabelMax && Framed(text, "-", upper: false);

    /// <summary>The name of most objects: RFC 1123 labels joined by dots.</summary>
    public static bool IsDnsSubdomain(string text) =>
        text.Length is > 0 and <= SubdomainMax && text.Split('.').All(part => part.Length > 0 && Framed(part, "-", upper: false));

    /// <summary><c>name</c> or <c>prefix/name</c>.</summary>
    public static bool IsLabelKey(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var name = text.AsSpan(slash + 1);
        return (slash < 0 || IsDnsSubdomain(text[..slash])) && name.Length is > 0 and <= LabelMax && Framed(name, "-_.", upper: true);
    }

    /// <summary>Empty is a value too.</summary>
    public static bool IsLabelValue(string text) => text.Length == 0 || (text.Length <= LabelMax && Framed(text, "-_.", upper: true));

    /// <summary>An IANA service name: at most 15 of a-z, 0-9 and single dashes, with a letter (RFC 6335 5.1).</summary>
    public static bool IsPortName(string text) => text.Length is > 0 and <= 15 && Framed(text, "-", upper: false)
        && text.Any(char.IsAsciiLetterLower) && !text.Contains("--", StringComparison.Ordinal);

    /// <summary>
    /// A policy's name for these words, at most 63 characters. Words that had to be changed or cut get a hash of what they were, so that two of
    /// them never meet and a name never depends on its neighbours.
    /// </summary>
    public static string NameOf(string name, string kind)
    {
#pragma warning disable CA1308 // Kubernetes names are lower case.
        var suffix = kind.Length == 0 ? "" : $"-{kind.ToLowerInvariant()}";
        var wanted = name + suffix;
        if (wanted.Length <= LabelMax && IsDnsSubdomain(wanted))
        {
            return wanted;
        }

        var clean = new string([.. wanted.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-')]).Trim('-');
#pragma warning restore CA1308
        var hash = StableId.Of("policy name", name, kind).ToString("x16", System.Globalization.CultureInfo.InvariantCulture)[..8];
        clean = clean[..Math.Min(clean.Length, LabelMax - hash.Length - 1)].TrimEnd('-');
        return clean.Length == 0 ? $"p-{hash}" : $"{clean}-{hash}";
    }

    private static bool Framed(ReadOnlySpan<char> text, ReadOnlySpan<char> inner, bool upper)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterLower(c) && !(upper && char.IsAsciiLetterUpper(c)) && (i == 0 || i == text.Length - 1 || !inner.Contains(c)))
            {
                return false;
            }
        }

        return true;
    }
}
