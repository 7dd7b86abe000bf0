using System.Text.RegularExpressions;

namespace Flows.Core.Policy;

/// <summary>Reads the selectors and peers of Cilium's policies.</summary>
internal static partial class CiliumPeers
{
    /// <summary>Everything that a rule may name its other end by, without from or to.</summary>
    private static readonly string[] Kinds = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "Services", "FQDNs"];

    /// <summary>What restricts the peers of other rules, or asks a cloud for them.</summary>
    public static IReadOnlyList<string> Unreadable(string side) => [side + "Requires", side + "Groups"];

    public static IReadOnlyList<string> Fields(string side) => [.. Kinds.Where(kind => side == "to" || kind is not ("Services" or "FQDNs")).Select(kind => side + kind)];

    /// <summary>The peers of a rule; null where it names none, and empty where a list of them is there without an item: that selects nobody, as the agent reads it.</summary>
    /// <param name="inNamespace">The policy's namespace; null for one of the whole cluster.</param>
    public static IReadOnlyList<Segment>? Read(YamlField rule, string side, string? inNamespace)
    {
        // Services and names are not asked for being there without an item.
        var given = Fields(side).Select(name => (Kind: name[side.Length..], Field: rule.Find(name)))
            .Where(one => one.Field is not null && (one.Kind is not ("Services" or "FQDNs") || one.Field.Items().Count > 0)).ToList();
        var full = given.Where(one => one.Field!.Items().Count > 0).ToList();
        return full.Count > 1 ? throw full[1].Field!.Fault($"cannot stand beside {side}{full[0].Kind}; write two rules")
            : given.Count == 0 ? null
            : full.Count < given.Count ? []
            : [.. full[0].Field!.Each(item => Peers(full[0].Kind, item, inNamespace)).SelectMany(peer => peer)];
    }

    /// <summary>The pods of a selector. Without a word on namespaces it means the policy's own, and for the whole cluster all.</summary>
    public static PodSegment Pods(YamlField selector, string? inNamespace, bool confined = false)
    {
        List<LabelRequirement> pods = [];
        List<LabelRequirement> namespaces = [];

        // Over this one of a namespaced policy's target the agent writes the policy's own namespace.
        var overwritten = confined && inNamespace is not null ? CiliumLabels.Source + CiliumLabels.Namespace : null;
        foreach (var requirement in Requirements(selector, overwritten))
        {
            var key = KeyOf(requirement.Key, selector);
            if (key == CiliumLabels.Namespace)
            {
                namespaces.Add(requirement with { Key = PodSegment.NameLabel });
            }
            else if (key.StartsWith(CiliumLabels.NamespaceLabels, StringComparison.Ordinal))
            {
                namespaces.Add(requirement with { Key = key[CiliumLabels.NamespaceLabels.Length..] });
            }
            else if (key.StartsWith(CiliumLabels.Policy, StringComparison.Ordinal))
            {
                throw selector.Fault($"asks for {key}, which the model does not know");
            }
            else
            {
                pods.Add(requirement with { Key = key });
            }
        }

        // That a namespace has a name says nothing.
        var asked = namespaces.Count > 0;
        namespaces.RemoveAll(one => one is { Key: PodSegment.NameLabel, Operator: LabelOperator.Exists });
        if (inNamespace is not null && (confined || !asked))
        {
            namespaces.Add(new LabelRequirement(PodSegment.NameLabel, LabelOperator.In, [inNamespace]));
        }

        return new PodSegment(new LabelSelector(namespaces.DistinctBy(one => one.ToString())), new LabelSelector(pods));
    }

    public static HostSegment Hosts(YamlField selector) => new(new LabelSelector(Requirements(selector).Select(one => one with { Key = KeyOf(one.Key, selector) })));

    private static IEnumerable<LabelRequirement> Requirements(YamlField selector, string? without = null)
    {
        var fields = selector.Fields("matchLabels", "matchExpressions");
        var labels = fields.GetValueOrDefault("matchLabels")?.Entries() ?? new Dictionary<string, YamlField>();
        foreach (var (key, value) in labels.Where(label => label.Key != without))
        {
            yield return new LabelRequirement(key, LabelOperator.In, [KubernetesPeers.LabelValue(value)]);
        }

        foreach (var item in fields.GetValueOrDefault("matchExpressions")?.Items() ?? [])
        {
            yield return KubernetesPeers.Expression(item, _ => true);
        }
    }

    private static string KeyOf(string key, YamlField at)
    {
        var plain = key.StartsWith(CiliumLabels.Source, StringComparison.Ordinal) || key.StartsWith(CiliumLabels.AnySource, StringComparison.Ordinal) ? key[4..] : key;
        return KubernetesGrammar.IsLabelKey(plain) ? plain : throw at.Fault($"has '{key}', which is no label of pods or namespaces");
    }

    private static IEnumerable<Segment> Peers(string kind, YamlField item, string? inNamespace) => kind switch
    {
        "Endpoints" => [Pods(item, inNamespace)],
        "CIDR" => [new RangeSegment(Range(item), [])],
        "CIDRSet" => [RangeSet(item)],
        "Entities" => [Entity(item)],
        "Nodes" => [Hosts(item)],
        "Services" => [Service(item, inNamespace)],
        _ => [Name(item)],
    };

    /// <summary>A range, or an address alone.</summary>
    private static NetBlock Range(YamlField field) => !field.Text().Contains('/', StringComparison.Ordinal) && Facts.NetAddress.TryParse(field.Text(), out var address)
        ? NetBlock.Of(address)
        : KubernetesPeers.Range(field);

    private static RangeSegment RangeSet(YamlField item)
    {
        var fields = item.Fields("cidr", "cidrGroupRef", "cidrGroupSelector", "except");
        var range = KubernetesPeers.Range(fields.GetValueOrDefault("cidr") ?? throw item.Fault("has no cidr; groups of ranges cannot be read"));
        if (fields.Keys.FirstOrDefault(key => key is "cidrGroupRef" or "cidrGroupSelector") is { } group)
        {
            throw fields[group].Fault("cannot stand beside cidr");
        }

        var except = (fields.GetValueOrDefault("except")?.Items() ?? []).Select(field => (Field: field, Range: KubernetesPeers.Range(field))).ToList();
        return except.Find(one => !range.Contains(one.Range)) is { Field: { } outside } one
            ? throw outside.Fault($"{one.Range} does not lie within {range}")
            : new RangeSegment(range, [.. except.Select(part => part.Range).Distinct().Order()]);
    }

    private static Segment Entity(YamlField item) => item.Text() switch
    {
        "all" => new AnySegment([new BoundarySegment(Boundary.Inside), new BoundarySegment(Boundary.Outside)]),
        "world" => new BoundarySegment(Boundary.Outside),
        "cluster" => new BoundarySegment(Boundary.Inside),
        "host" => new BoundarySegment(Boundary.OwnHost),
        "remote-node" => new BoundarySegment(Boundary.OtherHosts),
        "none" => AnySegment.Nobody,
        "kube-apiserver" or "init" or "ingress" or "unmanaged" or "health" => throw item.Fault(
            $"'{item.Text()}' is an entity that the model does not know; it knows all, world, cluster, host, remote-node and none"),
        var other => throw item.Fault($"'{other}' is no entity of Cilium's"),
    };

    private static ServiceSegment Service(YamlField item, string? inNamespace)
    {
        var service = item.Fields("k8sService").GetValueOrDefault("k8sService") ?? throw item.Fault("must name a k8sService");
        var fields = service.Fields("serviceName", "namespace");
        return new ServiceSegment(
            fields.GetValueOrDefault("namespace")?.Text() ?? inNamespace ?? throw service.Fault("has no namespace"),
            (fields.GetValueOrDefault("serviceName") ?? throw service.Fault("has no serviceName")).Text());
    }

    /// <summary>
    /// A name, or a pattern as the agent's matchpattern reads it: a star is some characters of one label or none, two and more before the first dot are
    /// labels at any depth, and stars alone are every name.
    /// </summary>
    private static NameSegment Name(YamlField item)
    {
        var fields = item.Fields("matchName", "matchPattern");
        var (kind, field) = fields.Count == 1 ? fields.Single() : throw item.Fault("must have exactly one of matchName and matchPattern");
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        var text = field.Text().TrimEnd('.').ToLowerInvariant();
#pragma warning restore CA1308
        var deep = text.StartsWith("**", StringComparison.Ordinal) && text.TrimStart('*').StartsWith('.');
        var pattern = deep || text.All(c => c == '*') ? "*" + text.TrimStart('*') : Stars().Replace(text, "*");
        var oneLabel = !deep && pattern != "*" && pattern.Contains('*', StringComparison.Ordinal);
        return text.Length > 0 && (kind == "matchPattern" || pattern == text.Replace("*", "", StringComparison.Ordinal)) && NameSegment.IsPattern(pattern, oneLabel)
            ? new NameSegment(pattern, oneLabel)
            : throw field.Fault(kind == "matchName"
                ? $"'{field.Text()}' is no name that can be read: labels of letters, digits, - and _"
                : $"'{field.Text()}' is no pattern that can be read: labels of letters, digits, -, _ and stars");
    }

    [GeneratedRegex(@"\*+", RegexOptions.CultureInvariant)]
    private static partial Regex Stars();
}
