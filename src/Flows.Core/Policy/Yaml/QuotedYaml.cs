using System.Globalization;
using System.Text;

namespace Flows.Core.Policy;

/// <summary>
/// Writes block-style YAML in which every text is double-quoted and every key of data too, so that no reader, whether of YAML 1.1 or 1.2, takes
/// <c>0x1F</c>, <c>1_000</c>, <c>2024-01-01</c> or <c>no</c> for anything but text. Escapes are those that JSON and YAML share.
/// </summary>
internal sealed class QuotedYaml
{
    private readonly StringBuilder text = new();

    /// <summary>The document for a tree of <see cref="Map"/>, lists, texts and numbers.</summary>
    public static string Write(Map root)
    {
        var yaml = new QuotedYaml();
        yaml.Entries(root, 0);
        return yaml.text.ToString();
    }

    /// <summary>Fields in the order given.</summary>
    /// <param name="IsData">The keys are data, not our own words, and get quotes.</param>
    internal sealed record Map(IReadOnlyList<(string Key, object Value)> Fields, bool IsData = false)
    {
        public static Map Of(params (string Key, object? Value)[] fields) =>
            new([.. fields.Where(field => field.Value is not null).Select(field => (field.Key, field.Value!))]);
    }

    private void Entries(Map map, int indent)
    {
        for (var i = 0; i < map.Fields.Count; i++)
        {
            // The first field of a list's item stands behind the dash.
            if (i > 0 || indent == 0 || text[^1] == '\n')
            {
                text.Append(' ', indent);
            }

            var (key, value) = map.Fields[i];
            _ = map.IsData ? Quoted(key) : text.Append(key);
            text.Append(':');
            Value(value, indent);
        }
    }

    private void Value(object value, int indent)
    {
        switch (value)
        {
            case Map { Fields.Count: 0 }:
                text.Append(" {}\n");
                break;
            case Map map:
                text.Append('\n');
                Entries(map, indent + 2);
                break;
            case IReadOnlyList<object> { Count: 0 }:
                text.Append(" []\n");
                break;
            case IReadOnlyList<object> list:
                text.Append('\n');
                foreach (var item in list)
                {
                    Item(item, indent);
                }

                break;
            default:
                text.Append(' ');
                Scalar(value).Append('\n');
                break;
        }
    }

    private void Item(object item, int indent)
    {
        text.Append(' ', indent).Append("- ");
        switch (item)
        {
            case Map { Fields.Count: 0 }:
                text.Append("{}\n");
                break;
            case Map map:
                Entries(map, indent + 2);
                break;
            default:
                Scalar(item).Append('\n');
                break;
        }
    }

    private StringBuilder Scalar(object value) => value switch
    {
        string words => Quoted(words),
        bool truth => text.Append(truth ? "true" : "false"),
        double number => text.Append(number.ToString("R", CultureInfo.InvariantCulture)),
        _ => text.Append(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
    };

    private StringBuilder Quoted(string words)
    {
        text.Append('"');
        foreach (var c in words)
        {
            // Control characters, and the line separators that YAML 1.1 folds, never stand as themselves.
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                < ' ' or (>= '\u007f' and <= '\u00a0') or '\u2028' or '\u2029' or '\ufeff' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        return text.Append('"');
    }
}
