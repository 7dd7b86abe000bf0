using System.Text;

namespace Flows.Core.Policy;

/// <summary>
/// Calico's selector language, as conditions of which any group may hold: <c>a == 'b'</c>, <c>!=</c>, <c>in {}</c>, <c>not in {}</c>, <c>contains</c>,
/// <c>starts with</c>, <c>ends with</c>, <c>has()</c>, <c>all()</c>, <c>!</c>, <c>&amp;&amp;</c>, <c>||</c> and parentheses. <c>!=</c> and <c>not in</c> hold where the label is absent.
/// What is legal follows Calico's own tokenizer: spaces and tabs alone part words, none stands before the parenthesis of a function, and <c>notin</c> is <c>not in</c>.
/// </summary>
internal sealed class CalicoSelector
{
    /// <summary>Alternatives at most: every || under &amp;&amp; multiplies them. No selector that a person wrote comes near.</summary>
    public const int GroupsMax = 256;

    private const int DepthMax = 50;

    private readonly string text;
    private int at;
    private int depth;

    private CalicoSelector(string text) => this.text = text;

    /// <summary>The groups of conditions; one group without a condition is everything, no group nothing.</summary>
    /// <param name="negated">What the text does not select is asked for.</param>
    /// <exception cref="FormatException">The text is no selector.</exception>
    public static IReadOnlyList<IReadOnlyList<LabelRequirement>> Parse(string text, bool negated = false)
    {
        var selector = new CalicoSelector(text);
        selector.Space();
        if (selector.at == text.Length)
        {
            return negated ? [] : [[]];
        }

        var groups = selector.Or(negated);
        return selector.at == text.Length ? groups : throw selector.Wrong("an operator or the end");
    }

    /// <summary>The selector as Calico reads it; <c>all()</c> for everything.</summary>
    public static string Write(LabelSelector selector) => selector.IsEverything ? "all()" : string.Join(" && ", selector.Requirements.Select(Write));

    private static string Write(LabelRequirement one) => one.Operator switch
    {
        LabelOperator.In when one.Values.Count == 1 => $"{one.Key} == {Quoted(one.Values[0])}",
        LabelOperator.In => $"{one.Key} in {{{string.Join(", ", one.Values.Select(Quoted))}}}",
        LabelOperator.NotIn when one.Values.Count == 1 => $"{one.Key} != {Quoted(one.Values[0])}",
        LabelOperator.NotIn => $"{one.Key} not in {{{string.Join(", ", one.Values.Select(Quoted))}}}",
        LabelOperator.Exists => $"has({one.Key})",
        LabelOperator.DoesNotExist => $"!has({one.Key})",
        LabelOperator.Contains => Part(one, "contains"),
        LabelOperator.NotContains => "!" + Part(one, "contains"),
        LabelOperator.StartsWith => Part(one, "starts with"),
        LabelOperator.NotStartsWith => "!" + Part(one, "starts with"),
        LabelOperator.EndsWith => Part(one, "ends with"),
        _ => "!" + Part(one, "ends with"),
    };

    private static string Part(LabelRequirement one, string word) => $"({string.Join(" || ", one.Values.Select(value => $"{one.Key} {word} {Quoted(value)}"))})";

    /// <summary>There are no escapes in the language; legal values hold no quotes.</summary>
    private static string Quoted(string value) => value.Contains('\'', StringComparison.Ordinal) ? $"\"{value}\"" : $"'{value}'";

    private static LabelOperator Opposite(LabelOperator one) => one switch
    {
        LabelOperator.In => LabelOperator.NotIn,
        LabelOperator.NotIn => LabelOperator.In,
        LabelOperator.Exists => LabelOperator.DoesNotExist,
        LabelOperator.DoesNotExist => LabelOperator.Exists,
        LabelOperator.Contains => LabelOperator.NotContains,
        LabelOperator.NotContains => LabelOperator.Contains,
        LabelOperator.StartsWith => LabelOperator.NotStartsWith,
        LabelOperator.NotStartsWith => LabelOperator.StartsWith,
        LabelOperator.EndsWith => LabelOperator.NotEndsWith,
        _ => LabelOperator.EndsWith,
    };

    // A negation is carried down to the conditions (De Morgan), where every operator has its opposite.
    private List<IReadOnlyList<LabelRequirement>> Or(bool negated)
    {
        var groups = And(negated);
        while (Take("||"))
        {
            groups = Join(groups, And(negated), all: negated);
        }

        return groups;
    }

    private List<IReadOnlyList<LabelRequirement>> And(bool negated)
    {
        var groups = Term(negated);
        while (Take("&&"))
        {
            groups = Join(groups, Term(negated), all: !negated);
        }

        return groups;
    }

    private List<IReadOnlyList<LabelRequirement>> Join(List<IReadOnlyList<LabelRequirement>> left, List<IReadOnlyList<LabelRequirement>> right, bool all)
    {
        var count = all ? (long)left.Count * right.Count : left.Count + right.Count;
        return count > GroupsMax ? throw new FormatException($"has more than {GroupsMax} alternatives at character {at + 1}")
            : all ? [.. from one in left from other in right select (IReadOnlyList<LabelRequirement>)[.. one, .. other]]
            : [.. left, .. right];
    }

    private List<IReadOnlyList<LabelRequirement>> Term(bool negated)
    {
        if (++depth > DepthMax)
        {
            throw new FormatException($"is nested more than {DepthMax} deep");
        }

        try
        {
            if (at < text.Length && text[at] == '!')
            {
                at++;
                Space();
                return Term(!negated);
            }

            if (Take("("))
            {
                var inner = Or(negated);
                return Take(")") ? inner : throw Wrong("')'");
            }

            return Condition(negated);
        }
        finally
        {
            depth--;
        }
    }

    private List<IReadOnlyList<LabelRequirement>> Condition(bool negated)
    {
        var function = ((string[])["has", "all", "global"]).FirstOrDefault(name => Take(name + "("));
        if (function is not null)
        {
            var key = function == "has" ? Word() : "";
            return !Take(")") ? throw Wrong("')'")
                : function == "has" ? One(key, LabelOperator.Exists, [], negated)
                : function == "all" ? negated ? [] : [[]]
                : throw new FormatException("asks for global(), what is in no namespace, which the model does not know");
        }

        var word = Word();
        return Take("==") ? One(word, LabelOperator.In, [Value()], negated)
            : Take("!=") ? One(word, LabelOperator.NotIn, [Value()], negated)
            : TakeWords("not", "in") ? One(word, LabelOperator.NotIn, Set(), negated)
            : TakeWords("in") ? One(word, LabelOperator.In, Set(), negated)
            : TakeWords("contains") ? One(word, LabelOperator.Contains, [Value()], negated)
            : TakeWords("starts", "with") ? One(word, LabelOperator.StartsWith, [Value()], negated)
            : TakeWords("ends", "with") ? One(word, LabelOperator.EndsWith, [Value()], negated)
            : throw Wrong("an operator");
    }

    private static List<IReadOnlyList<LabelRequirement>> One(string key, LabelOperator of, IReadOnlyList<string> values, bool negated) =>
        [[new LabelRequirement(key, negated ? Opposite(of) : of, values)]];

    private List<string> Set()
    {
        if (!Take("{"))
        {
            throw Wrong("'{'");
        }

        List<string> values = [];
        while (!Take("}"))
        {
            values.Add(Value());
            if (!Take(",") && (at >= text.Length || text[at] != '}'))
            {
                throw Wrong("',' or '}'");
            }
        }

        return values;
    }

    private string Value()
    {
        if (at >= text.Length || text[at] is not ('\'' or '"'))
        {
            throw Wrong("a text in quotes");
        }

        var end = text.IndexOf(text[at], at + 1);
        var value = end < 0 ? throw Wrong("a closing quote") : text[(at + 1)..end];
        at = end + 1;
        Space();
        return value;
    }

    private string Word()
    {
        var word = new StringBuilder();
        while (at < text.Length && IsOfWord(text[at]))
        {
            word.Append(text[at++]);
        }

        Space();
        return word.Length > 0 ? word.ToString() : throw Wrong("a label");
    }

    private bool Take(string token)
    {
        if (string.CompareOrdinal(text, at, token, 0, token.Length) != 0)
        {
            return false;
        }

        at += token.Length;
        Space();
        return true;
    }

    /// <summary>Takes all of these words, which need no space between them, or none.</summary>
    private bool TakeWords(params ReadOnlySpan<string> words)
    {
        var before = at;
        foreach (var word in words)
        {
            if (!Take(word))
            {
                at = before;
                return false;
            }
        }

        // The last one ends where no label could go on.
        if (at == before || !IsOfWord(text[at - 1]) || at == text.Length || !IsOfWord(text[at]))
        {
            return true;
        }

        at = before;
        return false;
    }

    private void Space()
    {
        while (at < text.Length && text[at] is ' ' or '\t')
        {
            at++;
        }
    }

    private static bool IsOfWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/' or '-';

    private FormatException Wrong(string expected) => new($"is no selector: {expected} is missing at character {at + 1} of '{text}'");
}
