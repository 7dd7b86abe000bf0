using System.Globalization;
using System.Text.RegularExpressions;

namespace Flows.Core.Policy;

/// <summary>
/// A place in a YAML or JSON document that knows its way from the root, so that every fault names file, document, line and field. It reads
/// as strictly as the API does: an unquoted <c>yes</c> or <c>1_000</c> is no text, an unknown field is an error.
/// </summary>
internal sealed partial class YamlField
{
    // A NetworkPolicy within a List is 13 deep; managed fields in its metadata go further.
    private const int DepthMax = 64;

    // What YAML 1.1, which Kubernetes reads, takes for something else than text.
    private static readonly string[] Words = ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "~", ".nan", ".inf", "+.inf", "-.inf", "=", "<<"];
    private static readonly string[] Steps = [.. Enumerable.Range(0, 16).Select(index => string.Create(CultureInfo.InvariantCulture, $"[{index}]"))];
    private static readonly int WordMost = Words.Max(word => word.Length);

    private readonly DocumentNode node;
    private readonly YamlField? parent;
    private readonly string step;
    private readonly string document;
    private readonly List<PolicyFaultException> faults;
    private Dictionary<string, YamlField>? entries;

    private YamlField(DocumentNode node, YamlField? parent, string step, string document, List<PolicyFaultException> faults) =>
        (this.node, this.parent, this.step, this.document, this.faults) = (node, parent, step, document, faults);

    public string Document => document;

    public bool IsNull => node.IsPlain && node.Scalar is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>The way from the root, such as <c>spec.ports[0]</c>. Put together when it is asked for: few fields are ever at fault.</summary>
    private string Path => parent is null ? step : parent.Path is { Length: > 0 } way && !step.StartsWith('[') ? $"{way}.{step}" : parent.Path + step;

    /// <summary>A fault at this place.</summary>
    public PolicyFaultException Fault(string what) => new(document, node.Line, Path, what);

    /// <summary>Reads every item of a list; what is wrong with one is kept until <see cref="ThrowKept"/>, so that the others are looked at too.</summary>
    public IReadOnlyList<T> Each<T>(Func<YamlField, T> read)
    {
        List<T> all = [];
        foreach (var item in Items())
        {
            try
            {
                all.Add(read(item));
            }
            catch (PolicyFaultException fault)
            {
                faults.Add(fault);
            }
        }

        return all;
    }

    /// <summary>Keeps a fault until <see cref="ThrowKept"/>.</summary>
    public void Keep(PolicyFaultException fault) => faults.Add(fault);

    public IReadOnlyList<PolicyFaultException> Kept => faults;

    /// <exception cref="PolicyFaultException">Faults were kept: the first, with all others in it.</exception>
    public void ThrowKept()
    {
        if (faults.Count > 0)
        {
            throw faults[0].With(faults);
        }
    }

    /// <summary>The same place with faults of its own: one object of a list does not answer for another.</summary>
    public YamlField Apart() => new(node, parent, step, document, []);

    /// <summary>The fields of a mapping, of which all must be known; those with a null value count as absent.</summary>
    public IReadOnlyDictionary<string, YamlField> Fields(params string[] known)
    {
        var fields = Entries();
        var nulls = false;
        foreach (var (key, field) in fields)
        {
            nulls |= field.IsNull;
            if (Array.IndexOf(known, key) < 0)
            {
                throw field.Fault("is not a field of this API version");
            }
        }

        return nulls ? fields.Where(field => !field.Value.IsNull).ToDictionary(field => field.Key, field => field.Value) : fields;
    }

    /// <summary>The entries of a mapping with keys of any name.</summary>
    public Dictionary<string, YamlField> Entries()
    {
        if (entries is null)
        {
            Dictionary<string, YamlField> all = new(StringComparer.Ordinal);
            foreach (var (key, value) in node.Entries ?? throw Fault("must be an object"))
            {
                var name = Name(key);
                all[name] = new YamlField(value, this, name, document, faults);
            }

            entries = all;
        }

        return entries;
    }

    public bool IsList => node.IsList;

    public bool IsObject => node.IsObject;

    /// <summary>True where <see cref="Text"/> has an answer.</summary>
    public bool IsText => Written() is { } value && (!node.IsPlain || !MeansSomethingElse(value));

    public bool IsFalse => node.IsPlain && node.Scalar == "false";

    /// <summary>The scalar as it is written; empty for anything else.</summary>
    public string Plain => Written() ?? "";

    /// <summary>The field of this name; null where it is absent or null.</summary>
    public YamlField? Find(string name) => node.Value(name) is { } value && new YamlField(value, this, name, document, faults) is { IsNull: false } field ? field : null;

    /// <summary>True, false, or a fault.</summary>
    public bool Truth() => node.IsPlain && node.Scalar is "true" or "false" ? node.Scalar == "true" : throw Fault("must be true or false");

    /// <summary>A number with or without a fraction.</summary>
    public double Decimal() => node.IsPlain && double.TryParse(node.Scalar, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
        ? number
        : throw Fault("must be a number");

    public IReadOnlyList<YamlField> Items() => node.Items is { } items
        ? [.. items.Select((item, index) => new YamlField(item, this, StepOf(index), document, faults))]
        : throw Fault("must be a list");

    /// <summary>True where the scalar is a number rather than text.</summary>
    public bool IsNumber => node.IsPlain && node.Scalar is { Length: > 0 } value && value.TrimStart('-').All(char.IsAsciiDigit) && value != "-";

    public int Number() => IsNumber && int.TryParse(node.Scalar, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw Fault("must be a whole number");

    public string Text()
    {
        var value = Written() ?? throw Fault("must be text");
        return node.IsPlain && MeansSomethingElse(value) ? throw Fault($"must be text; put '{value}' in quotes") : value;
    }

    /// <summary>The documents of a file; empty ones are left out.</summary>
    /// <exception cref="FlowsException">The text is neither YAML nor JSON.</exception>
    public static IReadOnlyList<YamlField> Documents(string file, string text)
    {
        var roots = JsonText.TryRead(text, DepthMax) is { } json ? [json] : BlockYaml.TryRead(text, DepthMax) ?? YamlText.Read(file, text, DepthMax);
        return [.. roots
            .Select((root, index) => new YamlField(root, null, "", roots.Count == 1 ? file : $"{file}, document {index + 1}", []))
            .Where(document => !document.IsNull)];
    }

    private static string StepOf(int index) => index < Steps.Length ? Steps[index] : string.Create(CultureInfo.InvariantCulture, $"[{index}]");

    private string Name(DocumentNode key) => key.Scalar is { } name && (!key.IsPlain || !MeansSomethingElse(name))
        ? name
        : new YamlField(key, null, Path is { Length: > 0 } path ? $"a key of {path}" : "a key", document, faults).Text();

    /// <summary>The scalar as it is written; null for an object or a list.</summary>
    private string? Written()
    {
        try
        {
            return node.Scalar;
        }
        catch (FormatException fault)
        {
            throw Fault($"is no text: {fault.Message}");
        }
    }

    private static bool MeansSomethingElse(string plain) => plain.Length == 0
        || (plain.Length <= WordMost && Words.Contains(plain, StringComparer.OrdinalIgnoreCase))
        || (plain[0] is (>= '0' and <= '9') or '+' or '-' or '.' && NumberOrDate().IsMatch(plain));

    /// <summary>The integers (also base 2, 8, 16 and 60), floats and timestamps of YAML 1.1, yaml.org/type.</summary>
    [GeneratedRegex(@"\A([-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)|[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?"
        + @"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberOrDate();
}
