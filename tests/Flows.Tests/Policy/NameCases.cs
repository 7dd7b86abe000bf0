using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>What a pattern of DNS names may be, and which names it stands for, as plain code for <see cref="EvaluatorCases"/>.</summary>
internal static class NameCases
{
    /// <summary>255 characters, the most that a pattern may have.</summary>
    private static readonly string Longest = string.Join('.', Enumerable.Repeat("a", 128));

    /// <summary>Whether a text is a pattern where a star stands for labels at any depth, and where stars stand within one label each.</summary>
    private static readonly (string Text, bool AnyDepth, bool OneLabel, string Rule)[] Patterns =
    [
        ("example.com", true, true, "labels with dots between them"),
        ("a.b", true, true, "a label may be one character long"),
        ("localhost", true, true, "one label is a name"),
        ("_sip._tcp.my-shop2.example", true, true, "a label has letters, digits, dashes and underscores"),
        (Longest, true, true, "as long as a name can be"),
        ("*", true, true, "a star alone"),
        ("*.example.com", true, true, "a star as the first label"),
        ("*.com", true, true, "a star before a single label"),
        ("w*.example.com", false, true, "a star at the end of the first label"),
        ("*www.example.com", false, true, "a star at the start of the first label"),
        ("www.*", false, true, "a star as the last label"),
        ("*.*.example.com", false, true, "two stars"),
        ("", false, false, "nothing is no name"),
        (".example.com", false, false, "no label is empty, not the first"),
        ("www..example.com", false, false, "nor one between"),
        ("example.com.", false, false, "nor the last: the final dot is left out"),
        ("my shop.example", false, false, "a space is in no label"),
        ("example.com/shop", false, false, "a name is no address of a page"),
        ("bücher.example", false, false, "other letters are written in ASCII (xn--)"),
        ($"{Longest}a", false, false, "longer than a name can be"),
    ];

    /// <summary>Which names a pattern stands for.</summary>
    private static readonly (string Pattern, bool OneLabel, string[] Names, string[] Others, string Rule)[] Meanings =
    [
        ("b.c", false, ["b.c", "B.C", "b.c."], ["a.b.c", "ab.c", "c"], "a name stands for itself"),
        ("b.c", true, ["b.c", "B.C", "b.c."], ["a.b.c", "ab.c", "c"], "a name without stars has no depth"),
        ("*", false, ["c", "b.c", "a.b.c"], [], "a star alone stands for every name"),
        ("*.b.c", false, ["a.b.c", "aa.b.c", "x.A.b.c."], ["b.c", ".b.c", "aab.c", "c", "a.b.d"], "a leading star stands for one label or more"),
        ("*.b.c", true, ["a.b.c"], ["b.c", "x.a.b.c"], "or for exactly one"),
        ("x*.b.*", true, ["x.b.c", "Xyz.b.c."], ["y.b.c", "x.b"], "a star within a label"),
        ("x*.b", true, ["x.b"], ["x.b.c"], "ends with it"),
    ];

    public static void Check(Action<bool, string> check)
    {
        foreach (var (text, anyDepth, oneLabel, rule) in Patterns)
        {
            check(NameSegment.IsPattern(text, oneLabel: false) == anyDepth, $"'{text}' as a pattern of any depth: {rule}");
            check(NameSegment.IsPattern(text, oneLabel: true) == oneLabel, $"'{text}' as a pattern of one label: {rule}");
        }

        foreach (var (pattern, oneLabel, names, others, rule) in Meanings)
        {
            var segment = new NameSegment(pattern, oneLabel);
            check(names.All(segment.Matches), $"{segment.Key} stands for {string.Join(", ", names)}: {rule}");
            check(!others.Any(segment.Matches), $"{segment.Key} stands for none of {string.Join(", ", others)}: {rule}");
        }

        check(new NameSegment("*.b.c") != new NameSegment("*.b.c", OneLabel: true), "how deep a star reaches tells segments apart");
        check(new NameSegment("b.c") == new NameSegment("b.c", OneLabel: true), "where there is no star, there is no depth");
    }
}
