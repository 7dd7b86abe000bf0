using System.Globalization;
using System.Text;

namespace Flows.Core;

/// <summary>Shows text of strangers (names, labels) so that what is printed is what is there.</summary>
public static class VisibleText
{
    /// <summary>
    /// The text with every character that is not itself visible written as <c>\uXXXX</c>: control characters, format characters such as
    /// the right-to-left override (which makes a name look like another), line and paragraph separators, lone surrogates, unassigned
    /// and private ones. Visible text comes back as it is.
    /// </summary>
    public static string Of(string text)
    {
        var at = 0;
        while (at < text.Length && text[at] is >= ' ' and <= '~')
        {
            at++;
        }

        return at == text.Length ? text : Escaped(text);
    }

    private static string Escaped(string text)
    {
        var visible = new StringBuilder(text.Length + 8);
        for (var at = 0; at < text.Length;)
        {
            var whole = Rune.TryGetRuneAt(text, at, out var rune);
            var length = whole ? rune.Utf16SequenceLength : 1;
            if (whole && IsVisible(rune))
            {
                visible.Append(text, at, length);
            }
            else
            {
                for (var i = at; i < at + length; i++)
                {
                    visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
                }
            }

            at += length;
        }

        return visible.ToString();
    }

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
