using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>Small random fleets and sets in which rules meet often: few labels, few ports, few ranges.</summary>
internal sealed class RandomSets(int seed)
{
    public static readonly string[] Namespaces = ["a", "b", "c"];

    public static readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> NamespaceLabels = Namespaces.ToDictionary(
        name => name,
        name => (IReadOnlyDictionary<string, string>)new Dictionary<string, string> { [PodSegment.NameLabel] = name, ["team"] = name == "c" ? "y" : "x" });

    private static readonly byte[] Protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp];
    private static readonly ushort[] Ports = [1, 53, 80, 81, 443, 8080, 65535];
    private static readonly string[] Ranges = ["10.0.0.0/8", "10.0.0.0/30", "10.0.1.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.0/24", "10.0.0.2/32"];
    private static readonly NamedPort[] Named = [new("web", IpProtocol.Tcp, 80), new("web", IpProtocol.Udp, 53), new("dns", IpProtocol.Udp, 53), new("web", IpProtocol.Tcp, 8080), new("dns", IpProtocol.Sctp, 443)];

    private readonly Random random = new(seed);

    /// <summary>What the target of a rendering can say.</summary>
    public bool Denies { get; init; }

    public bool Passes { get; init; }

    public bool Tiers { get; init; }

    /// <summary>Admin and baseline tiers only, whose ingress names pods.</summary>
    public bool Guards { get; init; }

    public bool Orders { get; init; }

    public bool Hosts { get; init; }

    public bool Names { get; init; }

    public bool Boundaries { get; init; }

    public bool NamedPorts { get; init; } = true;

    public bool Unions { get; init; }

    public bool RichLabels { get; init; }

    public bool Open { get; init; }

    public bool ClusterWide { get; init; }

    public bool Flip() => random.Next(2) == 0;

    public T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    public PolicySet Set(int most = 5) => PolicySet.Of(Enumerable.Range(0, 1 + random.Next(most)).Select(Policy));

    public IReadOnlyList<Party> Parties()
    {
        List<Party> parties = [];
        for (var i = 0; i < 9; i++)
        {
            parties.Add(new Party
            {
                Id = $"pod {i}",
                Selectable = true,
                Namespace = Namespaces[i % 3],
                Labels = Labels(),
                Address = random.Next(8) == 0 ? null : NetBlock.Of(NetAddress.Parse(i == 4 ? "2001:db8::4" : $"10.0.{i % 2}.{i}")),
                Ports = [.. Named.Where(_ => Flip())],
                Services = Flip() ? ["a/s"] : [],
            });
        }

        parties.Add(new Party { Id = "node 1", HostLabels = new Dictionary<string, string> { [HostSegment.NameLabel] = "n1", ["os"] = "linux" }, Address = NetBlock.Parse("10.0.0.101/32") });
        parties.Add(new Party { Id = "node 2", HostLabels = new Dictionary<string, string> { [HostSegment.NameLabel] = "n2" }, Address = NetBlock.Parse("192.0.2.9/32") });
        parties.Add(new Party { Id = "v4", Address = NetBlock.Parse("192.0.2.1/32"), Names = ["www.example.com"] });
        parties.Add(new Party { Id = "v6", Address = NetBlock.Parse("2001:db8::99/128"), Names = ["a.www.example.com", "example.com"] });
        parties.Add(new Party { Id = "far", Address = NetBlock.Parse("203.0.113.7/32") });
        parties.Add(new Party { Id = "range", Address = NetBlock.Parse("10.0.0.0/29") });
        return parties;
    }

    public Connection Connection(IReadOnlyList<Party> parties)
    {
        var (src, dst) = (Any(parties), Any(parties));
        return new Connection(src, dst, random.Next(30) == 0 ? IpProtocol.Icmp : Any(Protocols), Any(Ports))
        {
            OwnNode = (src.IsHost || dst.IsHost) && random.Next(4) == 0,
            Dialled = random.Next(4) == 0 ? new Dialled(NetAddress.Parse("10.0.1.77"), Any(Ports)) : null,
        };
    }

    private Dictionary<string, string> Labels() => ((string[])["app", "env"]).Where(_ => random.Next(4) > 0).ToDictionary(key => key, _ => Any(["one", "two", "tow"]));

    private SegmentPolicy Policy(int index)
    {
        var inNamespace = ClusterWide && Flip() ? "" : Any(Namespaces);
        var tier = Guards ? Any([Tier.Admin, Tier.Baseline]) : Tiers ? Any([Tier.Admin, Tier.Application, Tier.Baseline]) : Tier.Application;
        var guard = (Tiers || Guards) && tier != Tier.Application;
        return new SegmentPolicy
        {
            Namespace = inNamespace,
            Name = $"p{index}",
            Target = Guards ? new PodSegment(Selector(["team"]), Selector(["app", "env"])) : Target(inNamespace),
            Tier = tier,
            Order = guard || (Orders && Flip()) ? random.Next(4) : null,
            Ingress = random.Next(4) > 0 ? Rules(podsOnly: Guards) : null,
            Egress = random.Next(4) > 0 ? Rules(podsOnly: false) : null,
            ClosesIngress = !guard && (!Open || Flip()),
            ClosesEgress = !guard && (!Open || Flip()),
        };
    }

    private Segment Target(string inNamespace)
    {
        Segment One() => inNamespace.Length > 0 ? PodSegment.In(inNamespace, Selector(["app", "env"]))
            : Hosts && Flip() ? new HostSegment(Selector(["os"]))
            : new PodSegment(Selector(["team"]), Selector(["app", "env"]));
        return Unions && inNamespace.Length > 0 && Flip() ? new AnySegment([One(), One()]) : One();
    }

    private List<Rule> Rules(bool podsOnly) => [.. Enumerable.Range(0, random.Next(4)).Select(_ => new Rule
    {
        Action = Denies && random.Next(3) == 0 ? RuleAction.Deny : Passes && random.Next(4) == 0 ? RuleAction.Pass : RuleAction.Allow,
        Peers = [.. Enumerable.Range(0, podsOnly ? 1 + random.Next(3) : random.Next(4)).Select(_ => podsOnly ? Pods() : Peer())],
        Ports = [.. Enumerable.Range(0, random.Next(3)).SelectMany(_ => Port())],
    })];

    private Segment Peer() => random.Next(8) switch
    {
        0 when Hosts => new HostSegment(Selector(["os"])),
        1 when Names => Any([new NameSegment("*.example.com"), new NameSegment("example.com"), new NameSegment("www.example.com")]),
        2 when Boundaries => new BoundarySegment(Any([Boundary.Inside, Boundary.Outside, Boundary.OwnHost, Boundary.OtherHosts])),
        3 or 4 => Range(),
        _ => Pods(),
    };

    private PodSegment Pods() => Flip() ? PodSegment.In(Any(Namespaces), Selector(["app", "env"])) : new PodSegment(Selector(["team"]), Selector(["app", "env"]));

    private RangeSegment Range()
    {
        var range = NetBlock.Parse(Any(Ranges));
        var except = Ranges.Select(NetBlock.Parse).Where(one => one != range && range.Contains(one)).ToList();
        return new RangeSegment(range, except.Count > 0 && Flip() ? [Any(except)] : []);
    }

    private IEnumerable<PortMatch> Port()
    {
        var protocol = Any(Protocols);
        if (NamedPorts && random.Next(4) == 0)
        {
            var name = Any(["web", "dns"]);
            return Protocols.Select(one => new PortMatch(one, Name: name));
        }

        var (one, other) = (Any(Ports), Any(Ports));
        return [random.Next(6) == 0 ? new PortMatch(protocol) : Flip() ? PortMatch.Of(protocol, one) : new PortMatch(protocol, Math.Min(one, other), Math.Max(one, other))];
    }

    private LabelSelector Selector(string[] keys) => new(keys.Where(_ => Flip()).Select(key => Requirement(key)));

    private LabelRequirement Requirement(string key)
    {
        var values = key switch { "team" => ["x", "y"], "os" => ["linux"], _ => (string[])["one", "two", "tow"] };
        return random.Next(RichLabels ? 7 : 4) switch
        {
            0 => new LabelRequirement(key, LabelOperator.NotIn, [Any(values)]),
            1 => new LabelRequirement(key, Any([LabelOperator.Exists, LabelOperator.DoesNotExist]), []),
            2 => new LabelRequirement(key, LabelOperator.In, [Any(values), Any(values)]),
            4 => new LabelRequirement(key, Any([LabelOperator.Contains, LabelOperator.NotContains]), [Any(["o", "w", "x"]), Any(["n", "w"])]),
            5 => new LabelRequirement(key, Any([LabelOperator.StartsWith, LabelOperator.NotStartsWith]), [Any(["o", "tw", "x"]), Any(["on", "tw"])]),
            6 => new LabelRequirement(key, Any([LabelOperator.EndsWith, LabelOperator.NotEndsWith]), [Any(["o", "ow", "x"]), Any(["ne", "wo"])]),
            _ => new LabelRequirement(key, LabelOperator.In, [Any(values)]),
        };
    }
}
