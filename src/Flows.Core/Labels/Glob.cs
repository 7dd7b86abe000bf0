namespace Flows.Core.Labels;

/// <summary>A pattern for names: <c>*</c> stands for any characters, <c>?</c> for one, everything else for itself.</summary>
public sealed record Glob(string Pattern)
{
    /// <summary>True for the whole text. Takes at most as many steps as the lengths multiplied, whatever the pattern.</summary>
    public bool Matches(string text)
    {
        var (p, t) = (0, 0);
        var (star, resume) = (-1, 0);
        while (t < text.Length)
        {
            if (p < Pattern.Length && Pattern[p] == '*')
            {
                (star, resume) = (p++, t);
            }
            else if (p < Pattern.Length && (Pattern[p] == '?' || Pattern[p] == text[t]))
            {
                (p, t) = (p + 1, t + 1);
            }
            else if (star >= 0)
            {
                // Let the last star take one more.
                (p, t) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }

        return Pattern.AsSpan(p).Trim('*').IsEmpty;
    }
}
