using Flows.Core.Identity;
using Flows.Core.Policy;

namespace Flows.Core.Labels;

/// <summary>Reads label rules from YAML. All faults are reported at once, each with file, line, what is wrong and what to write instead.</summary>
public static class LabelRulesReader
{
    private const int RulesMax = 1000;
    private const int KeysMax = 32;
    private const int WordMax = 63;

    private static readonly string[] Conditions = ["kind", "scope", "cluster", "namespace", "workload", "name", "labels", "cidr"];

    /// <exception cref="FlowsException">Something is wrong; the message has a line for each fault.</exception>
    public static LabelRules Read(string file, string text)
    {
        var faults = new List<string>();
        var documents = YamlField.Documents(file, text);
        if (documents.Count != 1)
        {
            throw new FlowsException(ExitCode.Usage, $"{file} holds {documents.Count} documents; label rules are one, with 'rules'.");
        }

        var rules = new List<LabelRule>();
        IReadOnlyList<string> keys = LabelRules.DefaultKeys;
        Try(faults, () =>
        {
            var top = Known(documents[0], faults, "keys", "rules");
            keys = top.TryGetValue("keys", out var field) ? Texts(field) : keys;
            CheckKeys(field ?? documents[0], keys);
            var items = top.TryGetValue("rules", out var list) ? list.Items() : throw documents[0].Fault("has no rules; write 'rules:' and a list");
            if (items.Count > RulesMax)
            {
                throw list.Fault($"has {items.Count} rules; {RulesMax} are the most");
            }

            for (var i = 0; i < items.Count; i++)
            {
                var (item, index) = (items[i], i);
                Try(faults, () => rules.Add(Rule(item, index, keys, faults)));
            }
        });
        return faults.Count == 0 ? new(keys, rules) : throw new FlowsException(ExitCode.Usage, string.Join('\n', faults.Distinct()));
    }

    /// <summary>True for what a selector can compare with: the values of Kubernetes labels.</summary>
    public static bool IsPlain(string value) => value.Length is > 0 and <= WordMax && char.IsAsciiLetterOrDigit(value[0]) && char.IsAsciiLetterOrDigit(value[^1])
        && value.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '.');

    private static LabelRule Rule(YamlField item, int index, IReadOnlyList<string> keys, List<string> faults)
    {
        var fields = Known(item, faults, "name", "when", "set");
        var when = fields.TryGetValue("when", out var given) ? Known(given, faults, Conditions) : new Dictionary<string, YamlField>();
        var set = fields.TryGetValue("set", out var says) ? says.Entries() : throw item.Fault("has no set; write 'set:' with the labels it gives");
        return new LabelRule
        {
            Name = fields.TryGetValue("name", out var name) ? name.Text() : $"rule {index + 1}",
            Kinds = [.. Fields(when, "kind").Select(Kind)],
            Scopes = Globs(when, "scope"),
            Clusters = Globs(when, "cluster"),
            Namespaces = Globs(when, "namespace"),
            Workloads = Globs(when, "workload"),
            Names = Globs(when, "name"),
            Labels = when.TryGetValue("labels", out var labels)
                ? [.. labels.Entries().Select(one => (one.Key, (IReadOnlyList<Glob>)[.. OneOrMany(one.Value).Select(glob => new Glob(glob.Text()))]))]
                : [],
            Cidrs = [.. Fields(when, "cidr").Select(Cidr)],
            Set = [.. set.Select(one => (one.Key, Template(one.Key, one.Value, keys)))],
        };
    }

    private static LabelTemplate Template(string key, YamlField value, IReadOnlyList<string> keys)
    {
        if (!keys.Contains(key, StringComparer.Ordinal))
        {
            throw value.Fault($"sets '{VisibleText.Of(key)}', which is not among the keys; add it to 'keys', or use {string.Join(", ", keys)}");
        }

        var template = LabelTemplate.TryParse(value.Text(), out var problem) ?? throw value.Fault(problem);
        return !template.IsLiteral || IsPlain(template.Text) ? template
            : throw value.Fault($"'{VisibleText.Of(template.Text)}' is no label value; use at most {WordMax} letters, digits, -, _ and . that begin and end with a letter or digit");
    }

    private static EntityKind Kind(YamlField field) => Entity.KindOf(field.Text()) is { } kind and not (EntityKind.Unknown or EntityKind.Ambiguous)
        ? kind
        : throw field.Fault($"'{VisibleText.Of(field.Text())}' is no kind; use pod, service, node, vm, host, load_balancer, cidr or external");

    private static AddressRange Cidr(YamlField field) => AddressRange.TryParse(field.Text(), out var range)
        ? range
        : throw field.Fault($"'{VisibleText.Of(field.Text())}' is no range; write 10.0.0.0/8 or 2001:db8::/32, without bits after the prefix");

    private static void CheckKeys(YamlField field, IReadOnlyList<string> keys)
    {
        if (keys.Count is 0 or > KeysMax || keys.Distinct(StringComparer.Ordinal).Count() != keys.Count || !keys.All(IsPlain))
        {
            throw field.Fault($"must be 1 to {KeysMax} different words of letters, digits, -, _ and .");
        }
    }

    private static Glob[] Globs(IReadOnlyDictionary<string, YamlField> fields, string key) => [.. Fields(fields, key).Select(field => new Glob(field.Text()))];

    private static IReadOnlyList<string> Texts(YamlField field) => [.. OneOrMany(field).Select(one => one.Text())];

    private static IReadOnlyList<YamlField> Fields(IReadOnlyDictionary<string, YamlField> fields, string key) =>
        !fields.TryGetValue(key, out var field) ? []
        : OneOrMany(field) is { Count: > 0 } some ? some
        : throw field.Fault("is an empty list, which nothing matches; leave it out");

    private static IReadOnlyList<YamlField> OneOrMany(YamlField field) => field.IsList ? field.Items() : [field];

    /// <summary>The fields of a mapping; one that is not known is a fault, and the rest is read on for its own.</summary>
    private static Dictionary<string, YamlField> Known(YamlField field, List<string> faults, params string[] known)
    {
        var entries = field.Entries();
        foreach (var (key, value) in entries.Where(one => !known.Contains(one.Key, StringComparer.Ordinal)))
        {
            faults.Add(value.Fault($"is not known here; use {string.Join(", ", known)}").Message);
        }

        return entries.Where(one => !one.Value.IsNull).ToDictionary(one => one.Key, one => one.Value);
    }

    private static void Try(List<string> faults, Action read)
    {
        try
        {
            read();
        }
        catch (FlowsException fault)
        {
            faults.Add(fault.Message);
        }
    }
}
