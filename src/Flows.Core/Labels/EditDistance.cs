namespace Flows.Core.Labels;

/// <summary>How many characters must be put in, taken out, changed or swapped with their neighbour to make one text of another.</summary>
internal static class EditDistance
{
    /// <summary>The distance, or one more than <paramref name="max"/> where it is greater.</summary>
    public static int Of(string x, string y, int max)
    {
        if (Math.Abs(x.Length - y.Length) > max)
        {
            return max + 1;
        }

        var (before, last, row) = (new int[y.Length + 1], Enumerable.Range(0, y.Length + 1).ToArray(), new int[y.Length + 1]);
        for (var i = 1; i <= x.Length; i++)
        {
            row[0] = i;
            var least = i;
            for (var j = 1; j <= y.Length; j++)
            {
                var cost = x[i - 1] == y[j - 1] ? 0 : 1;
                row[j] = Math.Min(Math.Min(last[j], row[j - 1]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }

                least = Math.Min(least, row[j]);
            }

            if (least > max)
            {
                return max + 1;
            }

            (before, last, row) = (last, row, before);
        }

        return Math.Min(last[y.Length], max + 1);
    }
}
