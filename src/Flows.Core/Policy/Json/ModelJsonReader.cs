using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Reads the model from JSON.</summary>
internal static class ModelJsonReader
{
    private static readonly (string Word, byte Value)[] Protocols =
        [.. ((byte[])[IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp, IpProtocol.Icmp, IpProtocol.IcmpV6]).Select(protocol => (IpProtocol.NameOf(protocol), protocol))];

    public static SegmentPolicy Policy(YamlField item, string origin)
    {
        var fields = item.Fields("namespace", "name", "subject", "tier", "order", "target", "ingress", "egress");
        var (ingress, closesIngress) = Direction(fields.GetValueOrDefault("ingress"));
        var (egress, closesEgress) = Direction(fields.GetValueOrDefault("egress"));
        return new SegmentPolicy
        {
            Namespace = Text(fields, "namespace"),
            Name = Needed(item, fields, "name").Text(),
            Subject = Text(fields, "subject"),
            Tier = fields.TryGetValue("tier", out var tier) ? Tier(tier) : Core.Policy.Tier.Application,
            Order = !fields.TryGetValue("order", out var order) ? null : order.IsText && order.Text() == "last" ? double.PositiveInfinity : order.Decimal(),
            Target = Segment(Needed(item, fields, "target")),
            Ingress = ingress,
            ClosesIngress = closesIngress,
            Egress = egress,
            ClosesEgress = closesEgress,
            Origin = origin,
            Kind = ModelJson.Kind,
        };
    }

    private static YamlField Needed(YamlField item, IReadOnlyDictionary<string, YamlField> fields, string name) => fields.GetValueOrDefault(name) ?? throw item.Fault($"has no {name}");

    private static string Text(IReadOnlyDictionary<string, YamlField> fields, string name) => fields.GetValueOrDefault(name)?.Text() ?? "";

    private static Tier Tier(YamlField item)
    {
        var fields = item.Fields("name", "order");
        return new Tier(Needed(item, fields, "name").Text(), Needed(item, fields, "order").Decimal());
    }

    private static (IReadOnlyList<Rule>? Rules, bool Closes) Direction(YamlField? item)
    {
        if (item is null)
        {
            return (null, true);
        }

        var fields = item.Fields("closes", "rules");
        return (fields.GetValueOrDefault("rules")?.Each(Rule) ?? [], fields.GetValueOrDefault("closes")?.Truth() ?? true);
    }

    private static Rule Rule(YamlField item)
    {
        var fields = item.Fields("name", "action", "peers", "ports", "purpose", "reason", "widened");
        return new Rule
        {
            Name = Text(fields, "name"),
            Action = fields.TryGetValue("action", out var action) ? ModelWords.Read(ModelWords.Actions, action) : RuleAction.Allow,
            Peers = fields.GetValueOrDefault("peers")?.Each(Segment) ?? [],
            Ports = fields.GetValueOrDefault("ports")?.Each(Port) ?? [],
            Purpose = fields.TryGetValue("purpose", out var purpose) ? ModelWords.Read(ModelWords.Purposes, purpose) : RulePurpose.Observed,
            Reason = fields.GetValueOrDefault("reason")?.Text(),
            Widened = fields.GetValueOrDefault("widened")?.Text(),
        };
    }

    private static PortMatch Port(YamlField item)
    {
        var fields = item.Fields("protocol", "first", "last", "name");
        var named = Needed(item, fields, "protocol");
        var protocol = byte.TryParse(named.Plain, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : ModelWords.Read(Protocols, named);
        if (fields.TryGetValue("name", out var name))
        {
            return fields.ContainsKey("first") || fields.ContainsKey("last") ? throw name.Fault("cannot stand beside a number") : new PortMatch(protocol, Name: name.Text());
        }

        if (!fields.TryGetValue("first", out var first))
        {
            return fields.TryGetValue("last", out var alone) ? throw alone.Fault("needs a first") : new PortMatch(protocol);
        }

        var match = new PortMatch(protocol, Number(first), Number(fields.GetValueOrDefault("last") ?? first));
        return match.First <= match.Last ? match : throw first.Fault("is above the last");
    }

    private static ushort Number(YamlField field) => field.Number() is >= 0 and <= ushort.MaxValue ? (ushort)field.Number() : throw field.Fault($"{field.Number()} is no port");

    private static Segment Segment(YamlField item)
    {
        var fields = item.Fields("pods", "range", "hosts", "service", "dns", "boundary", "any");
        var (kind, field) = fields.Count == 1 ? fields.Single() : throw item.Fault("must have exactly one kind of segment");
        switch (kind)
        {
            case "pods":
                _ = field.Fields("namespaces", "labels");
                return new PodSegment(Selector(field.Find("namespaces")), Selector(field.Find("labels")));
            case "range":
                _ = field.Fields("cidr", "except");
                return new RangeSegment(KubernetesPeers.Range(field.Find("cidr") ?? throw field.Fault("has no cidr")), field.Find("except")?.Each(KubernetesPeers.Range) ?? []);
            case "hosts":
                return new HostSegment(Selector(field));
            case "service":
                var service = field.Fields("namespace", "name");
                return new ServiceSegment(Needed(field, service, "namespace").Text(), Needed(field, service, "name").Text());
            case "dns":
                var name = field.Fields("pattern", "one_label");
                var pattern = Needed(field, name, "pattern");
                var oneLabel = name.GetValueOrDefault("one_label")?.Truth() ?? false;
                return NameSegment.IsPattern(pattern.Text(), oneLabel)
                    ? new NameSegment(pattern.Text(), oneLabel)
                    : throw pattern.Fault($"'{pattern.Text()}' is not a DNS name such as example.com or *.example.com");
            case "boundary":
                return new BoundarySegment(ModelWords.Read(ModelWords.Boundaries, field));
            default:
                return new AnySegment(field.Each(Segment));
        }
    }

    private static LabelSelector Selector(YamlField? list) => new(list?.Each(Requirement) ?? []);

    private static LabelRequirement Requirement(YamlField item)
    {
        var fields = item.Fields("key", "operator", "values");
        var of = ModelWords.Read(ModelWords.Operators, Needed(item, fields, "operator"));
        var values = fields.GetValueOrDefault("values")?.Each(value => value.Text()) ?? [];
        return of is LabelOperator.Exists or LabelOperator.DoesNotExist == (values.Count == 0)
            ? new LabelRequirement(Needed(item, fields, "key").Text(), of, values)
            : throw item.Fault(values.Count == 0 ? "needs values" : "cannot have values");
    }
}
