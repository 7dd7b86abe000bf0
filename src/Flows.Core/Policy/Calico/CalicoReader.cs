using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Reads projectcalico.org/v3 NetworkPolicy and GlobalNetworkPolicy, and their staged kinds as the drafts that they are. What narrows a rule in a way
/// that a connection does not show, or that the model has no words for, is a fault.
/// </summary>
internal static class CalicoReader
{
    public const string Version = "projectcalico.org/v3";
    public const string StoredVersion = "crd.projectcalico.org/v1";

    private static readonly string[] Kinds = ["NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "StagedGlobalNetworkPolicy"];

    private static readonly string[] SpecFields =
    [
        "tier", "order", "selector", "types", "ingress", "egress", "serviceAccountSelector", "namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward",
        "performanceHints",
    ];

    /// <summary>What a policy that was read here says it is; Calico's NetworkPolicy shares its name with another.</summary>
    public static IEnumerable<string> PolicyKinds => Kinds.Select(Called);

    public static bool Knows(string kind) => Kinds.Contains(kind, StringComparer.Ordinal);

    public static IReadOnlyList<SegmentPolicy> Read(YamlField document, string kind, string defaultNamespace, CalicoTiers tiers)
    {
        _ = document.Fields("apiVersion", "kind", "metadata", "spec", "status");
        var isGlobal = kind.EndsWith("GlobalNetworkPolicy", StringComparison.Ordinal);
        var (inNamespace, name) = isGlobal ? ("", ObjectNames.OfCluster(document)) : ObjectNames.Namespaced(document, defaultNamespace);
        var given = document.Find("metadata")!.Find("name")!;
        if (!IsName(name, isGlobal))
        {
            throw given.Fault($"'{name}' is no name for a policy of Calico: at most two words of a-z, 0-9 and dashes with one dot between them");
        }

        var spec = document.Find("spec") ?? throw document.Fault("has no spec");
        var staged = kind.StartsWith("Staged", StringComparison.Ordinal);
        var fields = spec.Fields(staged ? [.. SpecFields, "stagedAction"] : SpecFields);
        foreach (var foreign in (string[])["serviceAccountSelector", "doNotTrack", "preDNAT", "applyOnForward"])
        {
            RequireUnset(fields.GetValueOrDefault(foreign));
        }

        if (!IsSet(fields, spec))
        {
            return [];
        }

        var (tier, denies) = tiers.Find(fields.GetValueOrDefault("tier"));
        var (ingress, egress) = (Rules(fields.GetValueOrDefault("ingress"), Direction.Ingress, inNamespace), Rules(fields.GetValueOrDefault("egress"), Direction.Egress, inNamespace));
        var (hasIngress, hasEgress) = Types(fields.GetValueOrDefault("types"), ingress.Count > 0, egress.Count > 0);
        return
        [
            new SegmentPolicy
            {
                Namespace = inNamespace,
                Name = WithoutTier(name, fields.GetValueOrDefault("tier")?.Text() ?? CalicoTiers.Default),
                Target = Target(fields, inNamespace, isGlobal),
                Tier = tier,
                Order = fields.GetValueOrDefault("order")?.Decimal() ?? double.PositiveInfinity,
                Ingress = hasIngress ? ingress : null,
                Egress = hasEgress ? egress : null,
                ClosesIngress = denies,
                ClosesEgress = denies,
                Origin = document.Document,
                Kind = Called(kind),
            },
        ];
    }

    private static string Called(string kind) => kind == "NetworkPolicy" ? "calico NetworkPolicy" : kind;

    /// <summary>The validator's patterns: a word, or two with a dot between them; translations of Kubernetes' own are called <c>knp.default.NAME</c>.</summary>
    private static bool IsName(string name, bool isGlobal) => name.Split('.').Length <= 2
        || (!isGlobal && (name.StartsWith("knp.default.", StringComparison.Ordinal) || name.StartsWith("ossg.default.", StringComparison.Ordinal)));

    /// <summary>Whether a staged policy means to add itself; any other adds itself.</summary>
    private static bool IsSet(IReadOnlyDictionary<string, YamlField> fields, YamlField spec)
    {
        var action = fields.GetValueOrDefault("stagedAction");
        return action?.Text() switch
        {
            null or "Set" or "Learn" => true,
            "Ignore" => false,
            "Delete" => fields.Keys.All(key => key is "stagedAction" or "tier") ? false : throw spec.Fault("must hold nothing but its tier where the stagedAction is Delete"),
            var other => throw action!.Fault($"'{other}' is not Set, Delete, Learn or Ignore"),
        };
    }

    /// <summary>Names of policies begin with their tier where Calico asks for that.</summary>
    private static string WithoutTier(string name, string tier) => name.StartsWith(tier + ".", StringComparison.Ordinal) ? name[(tier.Length + 1)..] : name;

    private static void RequireUnset(YamlField? field)
    {
        if (field is not null && !(field.IsText && field.Text() is "" or "all()") && !field.IsFalse)
        {
            throw field.Fault("cannot be read: the model has no words for it");
        }
    }

    private static Segment Target(IReadOnlyDictionary<string, YamlField> fields, string inNamespace, bool isGlobal)
    {
        if (!isGlobal && fields.TryGetValue("namespaceSelector", out var spaces))
        {
            throw spaces.Fault("is for policies of the whole cluster");
        }

        return AnySegment.Of(CalicoPeers.Pods(fields.GetValueOrDefault("selector"), fields.GetValueOrDefault("namespaceSelector"), inNamespace));
    }

    /// <summary>Absent, the directions that have rules are meant, and where none has, ingress.</summary>
    private static (bool Ingress, bool Egress) Types(YamlField? field, bool hasIngress, bool hasEgress)
    {
        if (field is null || field.Items().Count == 0)
        {
            return (hasIngress || !hasEgress, hasEgress);
        }

        foreach (var type in field.Items().Where(type => type.Text() is not ("Ingress" or "Egress")))
        {
            throw type.Fault($"'{type.Text()}' is neither Ingress nor Egress");
        }

        return field.Items().Select(type => type.Text()).Distinct().Count() == field.Items().Count
            ? (field.Items().Any(type => type.Text() == "Ingress"), field.Items().Any(type => type.Text() == "Egress"))
            : throw field.Fault("holds a direction twice");
    }

    private static List<Rule> Rules(YamlField? field, Direction direction, string inNamespace) =>
        [.. field?.Each(item => Rule(item, direction, inNamespace)).OfType<Rule>() ?? []];

    /// <summary>Null for a rule that only logs.</summary>
    private static Rule? Rule(YamlField item, Direction direction, string inNamespace)
    {
        var fields = item.Fields("action", "protocol", "source", "destination", "metadata", "ipVersion", "icmp", "notProtocol", "notICMP", "http");
        foreach (var foreign in (string[])["icmp", "notICMP", "notProtocol", "http"])
        {
            if (fields.TryGetValue(foreign, out var narrower))
            {
                throw narrower.Fault("cannot be read: the model has no words for it");
            }
        }

        var action = fields.GetValueOrDefault("action") ?? throw item.Fault("has no action");
        var (peer, own) = direction == Direction.Ingress ? ("source", "destination") : ("destination", "source");
        var ports = Ports(fields.GetValueOrDefault("protocol"), fields.GetValueOrDefault("destination"));
        if (fields.GetValueOrDefault("source")?.Find("ports") is { } source)
        {
            throw source.Fault("cannot be read: rules are about the ports of servers");
        }

        if (fields.GetValueOrDefault(own)?.Entries().FirstOrDefault(entry => entry.Key is not ("ports" or "notPorts")) is { Key: not null } narrowed)
        {
            throw narrowed.Value.Fault("cannot be read: it narrows whom the policy governs");
        }

        CalicoPeers.CheckFamilies(fields);
        var peers = CalicoPeers.OfFamily(CalicoPeers.Entity(fields.GetValueOrDefault(peer), inNamespace), fields.GetValueOrDefault("ipVersion"));
        return action.Text() switch
        {
            "Allow" => new Rule { Action = RuleAction.Allow, Peers = peers, Ports = ports },
            "Deny" => new Rule { Action = RuleAction.Deny, Peers = peers, Ports = ports },
            "Pass" => new Rule { Action = RuleAction.Pass, Peers = peers, Ports = ports },
            "Log" => null,
            var other => throw action.Fault($"'{other}' is not Allow, Deny, Pass or Log"),
        };
    }

    private static List<PortMatch> Ports(YamlField? field, YamlField? destination)
    {
        var ports = destination?.Find("ports");
        var not = destination?.Find("notPorts");
        if (field is null)
        {
            return (not ?? ports) is not { } without ? []
                : not is null && without.Items().All(CalicoPeers.IsName) ? [.. without.Each(name => PortMatch.Transports.Select(one => CalicoPeers.Port(name, one))).SelectMany(port => port)]
                : throw without.Fault("needs a protocol: only names of ports do without");
        }

        var protocol = Protocol(field);
        if ((ports ?? not) is { } unfit && !PortMatch.Transports.Contains(protocol))
        {
            throw unfit.Fault("needs TCP, UDP or SCTP as the protocol");
        }

        var listed = ports is null ? [new PortMatch(protocol)] : ports.Each(port => CalicoPeers.Port(port, protocol)).ToList();
        return not is null ? listed
            : ports is null ? CalicoPeers.Without(protocol, [.. not.Each(port => CalicoPeers.Port(port, protocol))], not)
            : throw not.Fault("cannot be read beside ports");
    }

    private static byte Protocol(YamlField field) => field.IsNumber
        ? field.Number() is > 0 and <= byte.MaxValue ? (byte)field.Number() : throw field.Fault($"{field.Number()} is not a protocol from 1 to 255")
        : field.Text() switch
        {
            "TCP" => IpProtocol.Tcp,
            "UDP" => IpProtocol.Udp,
            "SCTP" => IpProtocol.Sctp,
            "ICMP" => IpProtocol.Icmp,
            "ICMPv6" => IpProtocol.IcmpV6,
            "UDPLite" => (byte)136,
            var other => throw field.Fault($"'{other}' is no protocol"),
        };
}
