using System.Globalization;

namespace Flows.Core.Policy;

/// <summary>Reads the ends and ports of Calico's rules.</summary>
internal static class CalicoPeers
{
    /// <summary>The namespace's name, as a label of the pod.</summary>
    public const string Namespace = "projectcalico.org/namespace";

    /// <summary>The namespace's name, as a label of the namespace.</summary>
    public const string NamespaceName = "projectcalico.org/name";

    /// <summary>Who runs the pod; Kubernetes for all that can be met here.</summary>
    private const string Orchestrator = "projectcalico.org/orchestrator";

    private static readonly string[] Foreign = ["serviceAccounts", "notSelector", "services"];

    /// <summary>The peers of a rule; none: everybody.</summary>
    /// <param name="inNamespace">The policy's namespace; empty for one of the whole cluster.</param>
    public static IReadOnlyList<Segment> Entity(YamlField? entity, string inNamespace)
    {
        if (entity is null)
        {
            return [];
        }

        var fields = entity.Fields("nets", "notNets", "selector", "namespaceSelector", "ports", "notPorts", "domains", "serviceAccounts", "notSelector", "services");
        if (Foreign.Select(name => fields.GetValueOrDefault(name)).FirstOrDefault(field => field is not null) is { } foreign)
        {
            throw foreign.Fault("cannot be read: the model has no words for it");
        }

        var pods = fields.GetValueOrDefault("selector") ?? fields.GetValueOrDefault("namespaceSelector");
        var nets = fields.GetValueOrDefault("nets") ?? fields.GetValueOrDefault("notNets");
        var domains = fields.GetValueOrDefault("domains");
        if (((YamlField?[])[pods, nets, domains]).OfType<YamlField>().ToList() is [_, var second, ..])
        {
            throw second.Fault("cannot be read beside the other condition: both would have to hold");
        }

        return pods is not null ? Pods(fields.GetValueOrDefault("selector"), fields.GetValueOrDefault("namespaceSelector"), inNamespace)
            : nets is not null ? Nets(fields.GetValueOrDefault("nets"), fields.GetValueOrDefault("notNets"))
            : domains?.Each(Name) ?? [];
    }

    /// <summary>The pods of a pair of selectors, as one segment for each alternative.</summary>
    public static IReadOnlyList<Segment> Pods(YamlField? selector, YamlField? namespaceSelector, string inNamespace)
    {
        List<Segment> segments = [];
        foreach (var group in Groups(selector))
        {
            foreach (var spaces in Groups(namespaceSelector))
            {
                List<LabelRequirement> namespaces = [.. spaces.Select(one => one.Key == NamespaceName ? one with { Key = PodSegment.NameLabel } : one)];
                namespaces.AddRange(group.Where(one => one.Key == Namespace).Select(one => one with { Key = PodSegment.NameLabel }));
                if (inNamespace.Length > 0 && namespaceSelector is null)
                {
                    namespaces.Add(new LabelRequirement(PodSegment.NameLabel, LabelOperator.In, [inNamespace]));
                }

                segments.Add(new PodSegment(
                    new LabelSelector(namespaces.Where(one => one is not { Key: PodSegment.NameLabel, Operator: LabelOperator.Exists }).DistinctBy(one => one.ToString())),
                    new LabelSelector(group.Where(one => one.Key is not (Namespace or Orchestrator)).DistinctBy(one => one.ToString()))));
            }
        }

        return segments;
    }

    public static PortMatch Port(YamlField field, byte protocol)
    {
        if (field.IsNumber)
        {
            return PortMatch.Of(protocol, PortFields.Number(field));
        }

        var parts = field.IsText ? field.Text().Split(':') : field.Plain.Split(':');
        return parts.Length == 1 ? new PortMatch(protocol, Name: PortFields.Name(field))
            : parts.Length == 2 && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && ushort.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && first <= last
                ? new PortMatch(protocol, first, last)
                : throw field.Fault($"'{field.Plain}' is neither a port, a range such as 80:90, nor a port's name");
    }

    /// <summary>All ports but these.</summary>
    public static List<PortMatch> Without(byte protocol, IReadOnlyList<PortMatch> not, YamlField at)
    {
        List<PortMatch> rest = [];
        var next = 0;
        foreach (var port in not.OrderBy(port => port.First))
        {
            var first = port.First ?? throw at.Fault("cannot be read with the name of a port");
            if (first > next)
            {
                rest.Add(new PortMatch(protocol, (ushort)next, (ushort)(first - 1)));
            }

            next = Math.Max(next, port.Last!.Value + 1);
        }

        if (next <= ushort.MaxValue)
        {
            rest.Add(new PortMatch(protocol, (ushort)next, ushort.MaxValue));
        }

        return rest.Count > 0 ? rest : throw at.Fault("leaves no port");
    }

    private static IReadOnlyList<IReadOnlyList<LabelRequirement>> Groups(YamlField? selector)
    {
        try
        {
            return selector is null ? [[]] : CalicoSelector.Parse(selector.Text());
        }
        catch (FormatException fault)
        {
            throw selector!.Fault(fault.Message);
        }
    }

    private static List<Segment> Nets(YamlField? nets, YamlField? notNets)
    {
        IReadOnlyList<NetBlock> except = [.. (notNets?.Each(Range) ?? []).Distinct().Order()];
        IReadOnlyList<NetBlock> ranges = nets?.Each(Range) ?? [NetBlock.Parse("0.0.0.0/0"), NetBlock.Parse("::/0")];
        return [.. ranges.Select(range => (Segment)new RangeSegment(range, [.. except.Where(one => range.Contains(one) || one.Contains(range))]))];
    }

    private static NetBlock Range(YamlField field) => !field.Text().Contains('/', StringComparison.Ordinal) && Facts.NetAddress.TryParse(field.Text(), out var address)
        ? NetBlock.Of(address)
        : KubernetesPeers.Range(field);

    private static Segment Name(YamlField field)
    {
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        var text = field.Text().TrimEnd('.').ToLowerInvariant();
#pragma warning restore CA1308
        return ClusterPolicyReader.IsDomainName(text) ? new NameSegment(text) : throw field.Fault($"'{field.Text()}' is no DNS name that can be read");
    }
}
