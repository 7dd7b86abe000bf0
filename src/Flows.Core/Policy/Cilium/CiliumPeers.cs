namespace Flows.Core.Policy;

/// <summary>Reads the selectors and peers of Cilium's policies.</summary>
internal static class CiliumPeers
{
    /// <summary>Everything that a rule may name its other end by, without from or to.</summary>
    private static readonly string[] Kinds = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "Services", "FQDNs"];

    public static IReadOnlyList<string> Fields(string side) => [.. Kinds.Where(kind => side == "to" || kind is not ("Services" or "FQDNs")).Select(kind => side + kind)];

    /// <summary>The peers of a rule; null where it names none.</summary>
    /// <param name="inNamespace">The policy's namespace; null for one of the whole cluster.</param>
    public static IReadOnlyList<Segment>? Read(YamlField rule, string side, string? inNamespace)
    {
        var given = Fields(side).Select(name => (Kind: name[side.Length..], Field: rule.Find(name))).Where(one => one.Field is not null).ToList();
        if (given.Exists(one => one.Field!.Items().Count == 0))
        {
            throw given.First(one => one.Field!.Items().Count == 0).Field!.Fault("is empty, which versions of Cilium read differently: leave it out for everybody, or write 'ingress: []' for nobody");
        }

        return given.Count switch
        {
            0 => null,
            1 => [.. given[0].Field!.Each(item => Peers(given[0].Kind, item, inNamespace)).SelectMany(peer => peer)],
            _ when given.TrueForAll(one => one.Kind is "CIDR" or "CIDRSet") => [.. given.SelectMany(one => one.Field!.Each(item => Peers(one.Kind, item, inNamespace))).SelectMany(peer => peer)],
            _ => throw given[1].Field!.Fault($"cannot stand beside {side}{given[0].Kind}; write two rules"),
        };
    }

    /// <summary>The pods of a selector. Without a word on namespaces it means the policy's own, and for the whole cluster all.</summary>
    public static PodSegment Pods(YamlField selector, string? inNamespace, bool confined = false)
    {
        List<LabelRequirement> pods = [];
        List<LabelRequirement> namespaces = [];
        foreach (var requirement in Requirements(selector))
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

    private static IEnumerable<LabelRequirement> Requirements(YamlField selector)
    {
        var fields = selector.Fields("matchLabels", "matchExpressions");
        foreach (var (key, value) in fields.GetValueOrDefault("matchLabels")?.Entries() ?? new Dictionary<string, YamlField>())
        {
            yield return new LabelRequirement(key, LabelOperator.In, [value.Text()]);
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
        var fields = item.Fields("cidr", "except");
        var range = Range(fields.GetValueOrDefault("cidr") ?? throw item.Fault("has no cidr; groups of ranges cannot be read"));
        return new RangeSegment(range, [.. (fields.GetValueOrDefault("except")?.Items() ?? []).Select(Range).Distinct().Order()]);
    }

    private static Segment Entity(YamlField item) => item.Text() switch
    {
        "all" => new AnySegment([new BoundarySegment(Boundary.Inside), new BoundarySegment(Boundary.Outside)]),
        "world" => new BoundarySegment(Boundary.Outside),
        "cluster" => new BoundarySegment(Boundary.Inside),
        "host" => new BoundarySegment(Boundary.OwnHost),
        "remote-node" => new BoundarySegment(Boundary.OtherHosts),
        var other => throw item.Fault($"'{other}' is an entity that the model does not know; it knows all, world, cluster, host and remote-node"),
    };

    private static ServiceSegment Service(YamlField item, string? inNamespace)
    {
        var service = item.Fields("k8sService").GetValueOrDefault("k8sService") ?? throw item.Fault("must name a k8sService");
        var fields = service.Fields("serviceName", "namespace");
        return new ServiceSegment(
            fields.GetValueOrDefault("namespace")?.Text() ?? inNamespace ?? throw service.Fault("has no namespace"),
            (fields.GetValueOrDefault("serviceName") ?? throw service.Fault("has no serviceName")).Text());
    }

    private static NameSegment Name(YamlField item)
    {
        var fields = item.Fields("matchName", "matchPattern");
        var (kind, field) = fields.Count == 1 ? fields.Single() : throw item.Fault("must have exactly one of matchName and matchPattern");
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        var text = field.Text().TrimEnd('.').ToLowerInvariant();
#pragma warning restore CA1308
        var deep = kind == "matchPattern" && text.StartsWith("**.", StringComparison.Ordinal);
        var plain = deep ? text[1..] : text;
        return ClusterPolicyReader.IsDomainName(plain) && (kind == "matchPattern" || plain[0] != '*')
            ? new NameSegment(plain, OneLabel: kind == "matchPattern" && plain[0] == '*' && !deep)
            : throw field.Fault($"'{field.Text()}' cannot be read: known are names, *.name for one label more, and **.name for any");
    }
}
