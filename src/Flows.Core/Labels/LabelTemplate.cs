using System.Text;
using Flows.Core.Identity;

namespace Flows.Core.Labels;

/// <summary>
/// How a value is made: text with <c>${label:KEY}</c>, <c>${name}</c>, <c>${namespace}</c>, <c>${workload}</c>, <c>${workload_kind}</c>, <c>${kind}</c>, <c>${cluster}</c>,
/// <c>${scope}</c> or <c>${node}</c> in it. Where one of them has nothing, the template has nothing.
/// </summary>
public sealed class LabelTemplate
{
    private const string LabelPrefix = "label:";

    private static readonly Dictionary<string, Func<Entity, string>> Fields = new(StringComparer.Ordinal)
    {
        ["name"] = entity => entity.Name,
        ["namespace"] = entity => entity.Namespace,
        ["workload"] = entity => entity.Workload,
        ["workload_kind"] = entity => entity.WorkloadKind,
        ["kind"] = entity => Entity.TextOf(entity.Kind),
        ["cluster"] = entity => entity.Cluster,
        ["scope"] = entity => entity.Scope,
        ["node"] = entity => entity.Node,
    };

    private readonly List<Func<Entity, string>> parts;

    private LabelTemplate(string text, List<Func<Entity, string>> parts, bool isLiteral) => (Text, this.parts, IsLiteral) = (text, parts, isLiteral);

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>Says the same of every entity.</summary>
    public bool IsLiteral { get; }

    /// <summary>Reads a template; null and what is wrong with it.</summary>
    public static LabelTemplate? TryParse(string text, out string problem)
    {
        problem = "";
        var parts = new List<Func<Entity, string>>();
        var literal = true;
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            var plain = text[at..(open < 0 ? text.Length : open)];
            if (plain.Length > 0)
            {
                parts.Add(_ => plain);
            }

            if (open < 0)
            {
                break;
            }

            var close = text.IndexOf('}', open);
            var field = close < 0 ? "" : text[(open + 2)..close];
            if (field.StartsWith(LabelPrefix, StringComparison.Ordinal) && field.Length > LabelPrefix.Length)
            {
                parts.Add(entity => entity.Labels.GetValueOrDefault(field[LabelPrefix.Length..], ""));
            }
            else if (Fields.TryGetValue(field, out var read))
            {
                parts.Add(read);
            }
            else
            {
                problem = close < 0 ? "has a ${ without its }"
                    : $"has ${{{VisibleText.Of(field)}}}, which is nothing; use {string.Join(", ", Fields.Keys.Select(name => $"${{{name}}}"))} or ${{label:KEY}}";
                return null;
            }

            literal = false;
            at = close + 1;
        }

        return new(text, parts, literal);
    }

    /// <summary>The value for an entity; null where something in it has nothing.</summary>
    public string? For(Entity entity)
    {
        var value = new StringBuilder();
        foreach (var part in parts)
        {
            if (part(entity) is not { Length: > 0 } text)
            {
                return null;
            }

            value.Append(text);
        }

        return value.Length > 0 ? value.ToString() : null;
    }
}
