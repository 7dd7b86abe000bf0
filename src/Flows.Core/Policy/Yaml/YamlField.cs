using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Flows.Core.Policy;

/// <summary>
/// A place in a YAML or JSON document that knows its way from the root, so that every fault names file, document, line and field. It reads
/// as strictly as the API does: an unquoted <c>yes</c> or <c>1_000</c> is no text, an unknown field is an error.
/// </summary>
internal sealed partial class YamlField(YamlNode node, string path, string document, List<PolicyFaultException> faults)
{
    // A NetworkPolicy within a List is 13 deep; managed fields in its metadata go further.
    private const int DepthMax = 64;

    // What YAML 1.1, which Kubernetes reads, takes for something else than text.
    private static readonly string[] Words = ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "~", ".nan", ".inf", "+.inf", "-.inf", "=", "<<"];

    public string Document => document;

    public bool IsNull => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };

    /// <summary>A fault at this place.</summary>
    public PolicyFaultException Fault(string what) => new(document, node.Start.Line, path, what);

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
    public YamlField Apart() => new(node, path, document, []);

    /// <summary>The fields of a mapping, of which all must be known; those with a null value count as absent.</summary>
    public IReadOnlyDictionary<string, YamlField> Fields(params string[] known)
    {
        var fields = Entries();
        var unknown = fields.Keys.FirstOrDefault(key => !known.Contains(key, StringComparer.Ordinal));
        return unknown is null
            ? fields.Where(field => !field.Value.IsNull).ToDictionary(field => field.Key, field => field.Value)
            : throw fields[unknown].Fault("is not a field of this API version");
    }

    /// <summary>The entries of a mapping with keys of any name.</summary>
    public IReadOnlyDictionary<string, YamlField> Entries()
    {
        if (node is not YamlMappingNode map)
        {
            throw Fault("must be an object");
        }

        var entries = new Dictionary<string, YamlField>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Children)
        {
            var name = new YamlField(key, path.Length == 0 ? "a key" : $"a key of {path}", document, faults).Text();
            entries[name] = new YamlField(value, path.Length == 0 ? name : $"{path}.{name}", document, faults);
        }

        return entries;
    }

    public bool IsList => node is YamlSequenceNode;

    public bool IsObject => node is YamlMappingNode;

    /// <summary>True where <see cref="Text"/> has an answer.</summary>
    public bool IsText => node is YamlScalarNode { Value: { } value } scalar && (scalar.Style != ScalarStyle.Plain || !MeansSomethingElse(value));

    public bool IsFalse => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "false" };

    /// <summary>The scalar as it is written; empty for anything else.</summary>
    public string Plain => (node as YamlScalarNode)?.Value ?? "";

    /// <summary>The field of this name; null where it is absent or null.</summary>
    public YamlField? Find(string name) => node is YamlMappingNode && Entries().TryGetValue(name, out var field) && !field.IsNull ? field : null;

    /// <summary>True, false, or a fault.</summary>
    public bool Truth() => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } word ? word.Value == "true" : throw Fault("must be true or false");

    /// <summary>A number with or without a fraction.</summary>
    public double Decimal() => node is YamlScalarNode { Style: ScalarStyle.Plain } word
        && double.TryParse(word.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Fault("must be a number");

    public IReadOnlyList<YamlField> Items() => node is YamlSequenceNode list
        ? [.. list.Children.Select((item, index) => new YamlField(item, $"{path}[{index}]", document, faults))]
        : throw Fault("must be a list");

    /// <summary>True where the scalar is a number rather than text.</summary>
    public bool IsNumber => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: { Length: > 0 } value } && value.TrimStart('-').All(char.IsAsciiDigit) && value != "-";

    public int Number() => IsNumber && int.TryParse(((YamlScalarNode)node).Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw Fault("must be a whole number");

    public string Text() => node is YamlScalarNode { Value: { } value } scalar && (scalar.Style != ScalarStyle.Plain || !MeansSomethingElse(value))
        ? value
        : throw Fault(node is YamlScalarNode ? $"must be text; put '{((YamlScalarNode)node).Value}' in quotes" : "must be text");

    /// <summary>The documents of a file; empty ones are left out.</summary>
    /// <exception cref="FlowsException">The text is no YAML.</exception>
    public static IReadOnlyList<YamlField> Documents(string file, string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new BoundedYaml(file, text, DepthMax));
        }
        catch (YamlException fault)
        {
            throw new PolicyFaultException(file, fault.Start.Line, "", $"is not YAML or JSON: {fault.Message}");
        }
        catch (InvalidOperationException fault)
        {
            // The scanner's way to say so of a control character within a plain text.
            throw new PolicyFaultException(file, 1, "", $"is not YAML or JSON: a control character stands outside quotes ({fault.Message})");
        }

        return [.. stream.Documents
            .Select((document, index) => new YamlField(document.RootNode, "", stream.Documents.Count == 1 ? file : $"{file}, document {index + 1}", []))
            .Where(document => !document.IsNull)];
    }

    private static bool MeansSomethingElse(string plain) => plain.Length == 0 || Words.Contains(plain, StringComparer.OrdinalIgnoreCase) || NumberOrDate().IsMatch(plain);

    /// <summary>The integers (also base 2, 8, 16 and 60), floats and timestamps of YAML 1.1, yaml.org/type.</summary>
    [GeneratedRegex(@"\A([-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)|[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?"
        + @"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberOrDate();
}
