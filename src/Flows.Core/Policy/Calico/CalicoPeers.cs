using System.Globalization;
using System.Text.RegularExpressions;

namespace Flows.Core.Policy;

/// <summary>Reads the ends and ports of Calico's rules.</summary>
internal static partial class CalicoPeers
{
    /// <summary>The namespace's name, as a label of the pod.</summary>
    public const string Namespace = "projectcalico.org/namespace";

    /// <summary>The namespace's name, as a label of the namespace.</summary>
    public const string NamespaceName = "projectcalico.org/name";

    /// <summary>In front of the labels of the namespace, as labels of the pod.</summary>
    private const string NamespaceLabels = "pcns.";

    /// <summary>The pod's service account, and what its labels begin with: no segment has either.</summary>
    private const string ServiceAccount = "projectcalico.org/serviceaccount";
    private const string ServiceAccountLabels = "pcsa.";

    private const int RangesMax = 256;

    /// <summary>Every address of IPv4, and of IPv6.</summary>
    private static readonly NetBlock[] Everything = [NetBlock.Parse("0.0.0.0/0"), NetBlock.Parse("::/0")];

    /// <summary>Who runs the pod; Kubernetes for all that can be met here.</summary>
    private static readonly Dictionary<string, string> Orchestrator = new(StringComparer.Ordinal) { ["projectcalico.org/orchestrator"] = "k8s" };

    private static readonly string[] Foreign = ["serviceAccounts", "services"];

    /// <summary>The peers of a rule; none: everybody.</summary>
    /// <param name="inNamespace">The policy's namespace; empty for one of the whole cluster.</param>
    public static IReadOnlyList<Segment> Entity(YamlField? entity, string inNamespace)
    {
        if (entity is null)
        {
            return [];
        }

        // An empty text or list says as little as none.
        var fields = entity.Fields("nets", "notNets", "selector", "namespaceSelector", "ports", "notPorts", "domains", "serviceAccounts", "notSelector", "services")
            .Where(field => field.Value is { IsList: true } ? field.Value.Items().Count > 0 : !field.Value.IsText || field.Value.Text().Length > 0).ToDictionary();
        if (Foreign.Select(name => fields.GetValueOrDefault(name)).FirstOrDefault(field => field is not null) is { } foreign)
        {
            throw foreign.Fault("cannot be read: the model has no words for it");
        }

        // Alone, it means all that those are not: addresses, too. In a policy of one namespace any selector confines the rule to that namespace's pods.
        var not = fields.GetValueOrDefault("notSelector");
        var pods = fields.GetValueOrDefault("selector") ?? fields.GetValueOrDefault("namespaceSelector");
        if (pods is null && not is not null && inNamespace.Length == 0)
        {
            throw not.Fault("cannot be read without a selector beside it: the model has no words for all others");
        }

        pods ??= not;
        var nets = fields.GetValueOrDefault("nets") ?? fields.GetValueOrDefault("notNets");
        var domains = fields.GetValueOrDefault("domains");
        if (((YamlField?[])[pods, nets, domains]).OfType<YamlField>().ToList() is [_, var second, ..])
        {
            throw second.Fault("cannot be read beside the other condition: both would have to hold");
        }

        return pods is not null ? AnySegment.PeersOf(Pods(fields.GetValueOrDefault("selector"), fields.GetValueOrDefault("namespaceSelector"), inNamespace, not))
            : nets is not null ? Nets(fields.GetValueOrDefault("nets"), fields.GetValueOrDefault("notNets"))
            : domains?.Each(Name) ?? [];
    }

    /// <summary>The pods of a pair of selectors, as one segment for each alternative; none at all is nobody.</summary>
    /// <param name="not">Selects those of them who are not meant.</param>
    public static IReadOnlyList<Segment> Pods(YamlField? selector, YamlField? namespaceSelector, string inNamespace, YamlField? not = null)
    {
        var (some, others) = (Groups(selector), Groups(not, negated: true));
        if (some.Count * others.Count > CalicoSelector.GroupsMax)
        {
            throw not!.Fault($"and the selector beside it have more than {CalicoSelector.GroupsMax} alternatives");
        }

        List<Segment> segments = [];
        var groups = from one in some from other in others select (List<LabelRequirement>)[.. one, .. other];
        foreach (var group in groups.Where(group => group.Where(one => Orchestrator.ContainsKey(one.Key)).All(one => one.Matches(Orchestrator))))
        {
            var ofNamespace = group.Where(IsOfNamespace).Select(one => OfNamespace(one with { Key = one.Key == Namespace ? NamespaceName : one.Key[NamespaceLabels.Length..] })).ToList();
            foreach (var spaces in Groups(namespaceSelector))
            {
                List<LabelRequirement> namespaces = [.. spaces.Select(OfNamespace), .. ofNamespace];
                if (inNamespace.Length > 0 && namespaceSelector is null)
                {
                    namespaces.Add(new LabelRequirement(PodSegment.NameLabel, LabelOperator.In, [inNamespace]));
                }

                segments.Add(new PodSegment(
                    new LabelSelector(namespaces.Where(one => one is not { Key: PodSegment.NameLabel, Operator: LabelOperator.Exists }).DistinctBy(one => one.ToString())),
                    new LabelSelector(group.Where(one => !IsOfNamespace(one) && !Orchestrator.ContainsKey(one.Key)).DistinctBy(one => one.ToString()))));
            }
        }

        return segments;
    }

    private static bool IsOfNamespace(LabelRequirement one) => one.Key == Namespace || one.Key.StartsWith(NamespaceLabels, StringComparison.Ordinal);

    private static LabelRequirement OfNamespace(LabelRequirement one) => one.Key == NamespaceName ? one with { Key = PodSegment.NameLabel } : one;

    /// <summary>The ranges of a rule are of one family, and of the one that it names if it does.</summary>
    public static void CheckFamilies(IReadOnlyDictionary<string, YamlField> rule)
    {
        var version = rule.GetValueOrDefault("ipVersion");
        bool? first = version is null ? null : IsV4(version);
        foreach (var field in from end in (string[])["source", "destination"] from list in (string[])["nets", "notNets"] select rule.GetValueOrDefault(end)?.Find(list))
        {
            foreach (var item in field?.Items() ?? [])
            {
                var isV4 = Range(item).IsV4;
                if (isV4 != (first ?? isV4))
                {
                    throw item.Fault("is of another IP version than the rest of the rule");
                }

                first = isV4;
            }
        }
    }

    /// <summary>Of these peers the addresses of the version that the rule names; pods have no version, so that a rule for some of theirs cannot be read.</summary>
    public static IReadOnlyList<Segment> OfFamily(IReadOnlyList<Segment> peers, YamlField? version) => version is null || (peers.Count > 0 && peers.All(peer => peer is RangeSegment)) ? peers
        : peers.Count == 0 ? [new RangeSegment(Everything[IsV4(version) ? 0 : 1], [])]
        : throw version.Fault("cannot be read beside selectors or domains: the model has no words for it");

    private static bool IsV4(YamlField version) => version.Number() is 4 or 6 ? version.Number() == 4 : throw version.Fault($"{version.Number()} is neither 4 nor 6");

    /// <summary>Whether a port is named: anything but digits, alone or twice around a colon.</summary>
    public static bool IsName(YamlField field) => !field.Plain.All(c => char.IsAsciiDigit(c) || c == ':');

    /// <summary>A port: a number, also as text, a range such as <c>80:90</c>, or a name.</summary>
    public static PortMatch Port(YamlField field, byte protocol)
    {
        if (IsName(field))
        {
            return PortNames().IsMatch(field.Text()) ? new PortMatch(protocol, Name: field.Text()) : throw field.Fault($"'{field.Text()}' is no name of a port");
        }

        var parts = field.Plain.Split(':');
        return parts.Length <= 2 && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first) && first > 0
            && ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && first <= last
            ? new PortMatch(protocol, first, last)
            : throw field.Fault($"'{field.Plain}' is neither a port from 1 to 65535, a range such as 80:90, nor a port's name");
    }

    /// <summary>All ports but these.</summary>
    public static List<PortMatch> Without(byte protocol, IReadOnlyList<PortMatch> not, YamlField at)
    {
        List<PortMatch> rest = [];
        var next = 1;
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

    private static IReadOnlyList<IReadOnlyList<LabelRequirement>> Groups(YamlField? selector, bool negated = false)
    {
        try
        {
            var groups = selector is null ? [[]] : CalicoSelector.Parse(selector.Text(), negated);
            return groups.SelectMany(group => group).FirstOrDefault(one => one.Key == ServiceAccount || one.Key.StartsWith(ServiceAccountLabels, StringComparison.Ordinal)) is { } foreign
                ? throw selector!.Fault($"asks for {foreign.Key}, which the model does not know")
                : groups;
        }
        catch (FormatException fault)
        {
            throw selector!.Fault(fault.Message);
        }
    }

    private static List<Segment> Nets(YamlField? nets, YamlField? notNets)
    {
        foreach (var list in ((YamlField?[])[nets, notNets]).OfType<YamlField>())
        {
            var items = list.Items();
            if (items.Count > RangesMax || items.DistinctBy(item => item.Plain).Count() < items.Count)
            {
                throw list.Fault($"must have at most {RangesMax} distinct items");
            }
        }

        IReadOnlyList<NetBlock> except = [.. (notNets?.Each(Exception) ?? []).Distinct().Order()];

        // A rule that only excepts ranges of one family is for that family.
        var ranges = nets?.Each(Range) ?? [.. Everything.Where(every => except.All(one => one.IsV4 == every.IsV4))];
        return [.. ranges.Select(range => (Segment)new RangeSegment(range, [.. except.Where(one => range.Contains(one) || one.Contains(range))]))];
    }

    private static NetBlock Range(YamlField field) => KubernetesPeers.Range(field);

    private static NetBlock Exception(YamlField field) => !Everything.Contains(Range(field)) ? Range(field)
        : throw field.Fault("leaves out every address, so that the rule would match nothing");

    [GeneratedRegex(@"\A[a-zA-Z0-9_.-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex PortNames();

    private static Segment Name(YamlField field)
    {
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        var text = field.Text().TrimEnd('.').ToLowerInvariant();
#pragma warning restore CA1308
        return ClusterPolicyReader.IsDomainName(text) ? new NameSegment(text) : throw field.Fault($"'{field.Text()}' is no DNS name that can be read");
    }
}
