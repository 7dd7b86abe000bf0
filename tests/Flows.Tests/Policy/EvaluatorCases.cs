using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>
/// What the evaluator must say, as plain code: the tests run it, and the mutation tester runs it against evaluators that were broken on purpose.
/// </summary>
internal static class EvaluatorCases
{
    /// <summary>What the first wrong verdict was; null where all are right.</summary>
    public static string? Run(int seeds) => Fixed() ?? Random(seeds);

    private static string? Random(int seeds)
    {
        for (var seed = 0; seed < seeds; seed++)
        {
            var random = new RandomSets(seed)
            {
                Denies = true, Passes = true, Tiers = true, Orders = seed % 3 != 0, Hosts = true, Names = true, Boundaries = true, Unions = true, RichLabels = true, Open = true, ClusterWide = true,
            };
            var set = random.Set(8);
            var parties = random.Parties();
            foreach (var dialect in Dialect.All)
            {
                var evaluator = new PolicyEvaluator(set, RandomSets.NamespaceLabels, dialect);
                for (var i = 0; i < 40; i++)
                {
                    var connection = random.Connection(parties);
                    var got = NaiveJudge.Text(evaluator.Evaluate(connection));
                    var expected = NaiveJudge.Judge(set, RandomSets.NamespaceLabels, connection, dialect);
                    if (got != expected)
                    {
                        return $"seed {seed}, {dialect.Name}, {connection}: got {got}, expected {expected}";
                    }
                }
            }
        }

        return null;
    }

    /// <summary>What random sets meet too seldom.</summary>
    private static string? Fixed()
    {
        List<string> wrong = [];
        void Check(bool holds, string what)
        {
            if (!holds)
            {
                wrong.Add(what);
            }
        }

        var a = new Party { Id = "a", Selectable = true, Namespace = "n", Address = NetBlock.Parse("10.0.0.1/32") };
        var b = a with { Id = "b", Address = NetBlock.Parse("10.0.0.2/32") };
        bool Allows(SegmentPolicy policy, Connection c) => new PolicyEvaluator(new PolicySet([policy])).Evaluate(c).Allowed;
        bool Reaches(Segment peer, Party party) => Allows(SegmentPolicy.For("n", "p", LabelSelector.Everything) with { Ingress = [new Rule { Peers = [peer] }] }, new Connection(party, b, 6, 80));
        Check(Reaches(PodSegment.In("n", LabelSelector.Everything), a), "an unlisted namespace has its name");
        Check(!Reaches(PodSegment.In("m", LabelSelector.Everything), a), "and no other");
        Check(Reaches(RangeSegment.Of("10.0.0.0/8", "10.0.0.2/32"), a) && !Reaches(RangeSegment.Of("10.0.0.0/8", "10.0.0.1/32"), a), "exceptions");
        Check(!Reaches(RangeSegment.Of("10.0.0.0/31", "10.0.0.1/32"), a with { Address = NetBlock.Parse("10.0.0.0/31") }), "a range of which a part is excepted");
        Check(Reaches(new ServiceSegment("n", "s"), a with { Services = ["n/s"] }) && !Reaches(new ServiceSegment("n", "s"), a with { Services = ["n/t"] }), "services");
        Check(Reaches(new NameSegment("*.c"), a with { Names = ["d", "b.c"] }) && !Reaches(new NameSegment("*.c"), a with { Names = ["d"] }) && !Reaches(new NameSegment("*"), a), "any of its names");
        Check(!Reaches(new AnySegment([]), a), "nobody");
        Check(!Reaches(RangeSegment.Of("0.0.0.0/0"), a with { Address = null }), "no address, no range");
        Check(Reaches(RangeSegment.Of("2001:db8::/64"), a with { Address = NetBlock.Parse("2001:db8::1/128") }) && !Reaches(RangeSegment.Of("2001:db8:0:1::/64"), a with { Address = NetBlock.Parse("2001:db8::1/128") }), "the upper half of an address");
        Check(Reaches(RangeSegment.Of("2001:db8::/63"), a with { Address = NetBlock.Parse("2001:db8:0:1::1/128") }) && Reaches(RangeSegment.Of("2001:db8::/65"), a with { Address = NetBlock.Parse("2001:db8::1/128") })
            && !Reaches(RangeSegment.Of("2001:db8::/65"), a with { Address = NetBlock.Parse("2001:db8::8000:0:0:1/128") }), "around its middle");
        Check(!Reaches(RangeSegment.Of("::/0"), a) && !Reaches(RangeSegment.Of("0.0.0.0/0"), a with { Address = NetBlock.Parse("2001:db8::1/128") }), "families");
        Dialects(Check);
        NameCases.Check(Check);
        Ports(Check, a, b, Allows);
        Orders(Check, a, b);
        Blocks(Check);
        Hosts(Check, b);
        Model(Check, a, b);
        return wrong.Count == 0 ? null : string.Join("; ", wrong);
    }

    private static void Dialects(Action<bool, string> check)
    {
        foreach (var (name, pods, hosts, dnat, to, from) in (ReadOnlySpan<(string, bool, bool, bool, bool, bool)>)
        [
            ("kubernetes", true, true, false, true, true), ("ranges-outside", false, false, false, true, true), ("cilium", false, false, false, true, false),
            ("calico", true, true, false, true, false), ("pre-dnat", true, true, true, true, true), ("aws-vpc-cni", true, true, true, true, false), ("no-own-node", true, true, false, false, false),
        ])
        {
            var dialect = Dialect.Named(name);
            check((dialect.RangesHoldPods, dialect.RangesHoldHosts, dialect.EgressBeforeDnat, dialect.OwnNodeToPod, dialect.OwnNodeFromPod) == (pods, hosts, dnat, to, from), $"dialect {name}");
        }

        check(Dialect.All.Count == 7, "dialects");
        try
        {
            Dialect.Named("other");
            check(false, "an unknown dialect");
        }
        catch (FlowsException)
        {
        }

        // Policies of one implementation tell that it is there; those of two, or of none, tell nothing.
        foreach (var (name, kinds) in (ReadOnlySpan<(string, string[])>)
        [
            ("kubernetes", []), ("kubernetes", ["NetworkPolicy"]), ("kubernetes", ["ClusterNetworkPolicy", "NetworkPolicy"]),
            ("cilium", ["CiliumNetworkPolicy"]), ("cilium", ["NetworkPolicy", "CiliumClusterwideNetworkPolicy"]),
            ("calico", ["GlobalNetworkPolicy"]), ("calico", ["calico NetworkPolicy", "NetworkPolicy"]),
            ("kubernetes", ["CiliumNetworkPolicy", "GlobalNetworkPolicy"]),
        ])
        {
            var set = new PolicySet([.. kinds.Select(kind => new SegmentPolicy { Name = "p", Kind = kind, Target = PodSegment.All })]);
            check(Dialect.Of(set).Name == name, $"the dialect of {string.Join(" with ", kinds)} is {name}");
        }
    }

    private static void Blocks(Action<bool, string> check)
    {
        check(NetBlock.Parse("10.0.0.0/8").IsV4 && NetBlock.Parse("0.0.0.0/0").IsV4 && !NetBlock.Parse("::/0").IsV4 && !NetBlock.Parse("2001:db8::/97").IsV4, "families of ranges");
        check(NetBlock.Of(NetAddress.Parse("10.0.0.1")) == NetBlock.Parse("10.0.0.1/32") && NetBlock.Of(NetAddress.Parse("10.0.0.1")).PrefixLength == 128, "an address as a range");
        var block = NetBlock.Parse("10.0.0.0/24");
        check(block.Contains(NetAddress.Parse("10.0.0.255")) && !block.Contains(NetAddress.Parse("10.0.1.0")) && !NetBlock.Parse("::/0").Contains(NetAddress.Parse("10.0.0.1")), "addresses in a range");
        var range = RangeSegment.Of("10.0.0.0/24", "10.0.0.0/25", "10.0.0.200/32");
        check(range.Contains(NetAddress.Parse("10.0.0.129")) && !range.Contains(NetAddress.Parse("10.0.0.1")) && !range.Contains(NetAddress.Parse("10.0.0.200"))
            && !range.Contains(NetAddress.Parse("10.0.1.1")), "addresses in a range with exceptions");
    }

    private static void Hosts(Action<bool, string> check, Party pod)
    {
        var host = new Party { Id = "h", HostLabels = new Dictionary<string, string>() };
        bool Allows(Boundary side, bool own) => new PolicyEvaluator(
            new PolicySet([SegmentPolicy.For("n", "p", LabelSelector.Everything) with { Ingress = [new Rule { Peers = [new BoundarySegment(side)] }] }]), null, Dialect.Named("no-own-node"))
            .Evaluate(new Connection(host, pod, 6, 1) { OwnNode = own }).Allowed;
        check(Allows(Boundary.OwnHost, true) && !Allows(Boundary.OwnHost, false) && !Allows(Boundary.OtherHosts, true) && Allows(Boundary.OtherHosts, false), "own and other hosts");
        var others = new SegmentPolicy { Name = "p", Target = new BoundarySegment(Boundary.OtherHosts), Egress = [] };
        var evaluator = new PolicyEvaluator(new PolicySet([others]));
        check(!evaluator.Evaluate(new Connection(host, pod, 6, 1)).Egress.Allowed, "a target is nobody's own host");
        check(evaluator.Holds(new BoundarySegment(Boundary.OtherHosts), host) && !evaluator.Holds(new BoundarySegment(Boundary.OwnHost), host)
            && !evaluator.Holds(new BoundarySegment(Boundary.OtherHosts), pod), "without a connection, too");
    }

    private static void Model(Action<bool, string> check, Party a, Party b)
    {
        check((Tier.Admin.Order, Tier.Application.Order, Tier.Baseline.Order) == (1_000, 1_000_000, 10_000_000), "the orders of tiers");
        var selector = new LabelSelector([new("b", LabelOperator.Exists, []), new("a", LabelOperator.In, ["2", "1", "2"])]);
        check(selector.Text == "a in (1,2),b" && !selector.IsEverything && LabelSelector.Everything.IsEverything && !LabelSelector.Of([new("a", "b")]).IsEverything, "selectors");
        LabelSelector In(params string[] values) => new([new("a", LabelOperator.In, values)]);
        check(In("2", "1").Equals(In("1", "2")) && In("1", "1").Equals(In("1")) && !In("1", "2").Equals(In("1")), "values are a set: neither order nor repetition counts");
        check(AnySegment.Of([PodSegment.All]) is PodSegment && AnySegment.Of([PodSegment.All, new HostSegment(LabelSelector.Everything)]) is AnySegment { Segments.Count: 2 } && AnySegment.Of([]) is AnySegment, "unions");
        check(AnySegment.PeersOf([]) is [AnySegment { Segments.Count: 0 }] && AnySegment.PeersOf([PodSegment.All]) is [PodSegment], "peers of which none is left are nobody, not everybody");
        SegmentPolicy Policy(string space, string kind, RuleAction action) => new() { Namespace = space, Name = "p", Kind = kind, Target = PodSegment.All, Order = 1, Egress = [new Rule { Action = action }] };
        bool Egress(params SegmentPolicy[] policies) => new PolicyEvaluator(new PolicySet(policies)).Evaluate(new Connection(a, b, 6, 1)).Egress.Allowed;
        check(Egress(Policy("a", "k", RuleAction.Allow), Policy("b", "k", RuleAction.Deny)) && !Egress(Policy("b", "k", RuleAction.Allow), Policy("a", "k", RuleAction.Deny)), "then namespace");
        check(Egress(Policy("a", "k", RuleAction.Allow), Policy("a", "l", RuleAction.Deny)) && !Egress(Policy("a", "l", RuleAction.Allow), Policy("a", "k", RuleAction.Deny)), "then kind");
        var policy = SegmentPolicy.For("n", "p", LabelSelector.Everything) with { Ingress = [new Rule()], Egress = [] };
        check(policy.Rules(Direction.Ingress)!.Count == 1 && policy.Rules(Direction.Egress)!.Count == 0 && policy.Closes(Direction.Ingress) && policy.Closes(Direction.Egress), "directions");
        check(!(policy with { ClosesEgress = false }).Closes(Direction.Egress) && (policy with { ClosesEgress = false }).Closes(Direction.Ingress), "closing one direction");
    }

    private static void Ports(Action<bool, string> check, Party a, Party b, Func<SegmentPolicy, Connection, bool> allows)
    {
        var server = b with { Ports = [new NamedPort("web", IpProtocol.Tcp, 80), new NamedPort("web", IpProtocol.Udp, 81), new NamedPort("x", IpProtocol.Tcp, 82)] };
        bool Opens(PortMatch port, byte protocol, ushort to) => allows(SegmentPolicy.For("n", "p", LabelSelector.Everything) with { Ingress = [new Rule { Ports = [port] }] },
            new Connection(a, server, protocol, to));
        check(Opens(new PortMatch(6), 6, 1) && !Opens(new PortMatch(6), 17, 1), "a protocol");
        check(Opens(new PortMatch(6, 80, 82), 6, 80) && Opens(new PortMatch(6, 80, 82), 6, 82) && !Opens(new PortMatch(6, 80, 82), 6, 79) && !Opens(new PortMatch(6, 80, 82), 6, 83), "a range");
        check(Opens(new PortMatch(6, Name: "web"), 6, 80) && !Opens(new PortMatch(6, Name: "web"), 6, 81) && !Opens(new PortMatch(6, Name: "web"), 6, 82), "a name");
        check(Opens(new PortMatch(17, Name: "web"), 17, 81) && !Opens(new PortMatch(17, Name: "web"), 17, 80), "a name of another protocol");
        check((server.PortNamed("web", IpProtocol.Tcp), server.PortNamed("web", IpProtocol.Udp), server.PortNamed("x", IpProtocol.Tcp)) is (80, 81, 82), "a name has one number for each protocol");
        check(server.PortNamed("x", IpProtocol.Udp) is null && server.PortNamed("y", IpProtocol.Tcp) is null, "and none where it is not declared");
    }

    private static void Orders(Action<bool, string> check, Party a, Party b)
    {
        SegmentPolicy Policy(string name, RuleAction action, double? order) => SegmentPolicy.For("n", name, LabelSelector.Everything) with { Order = order, Ingress = [new Rule { Action = action }] };
        string By(params SegmentPolicy[] policies) => string.Join(' ', new PolicyEvaluator(new PolicySet(policies)).Evaluate(new Connection(a, b, 6, 1)).Ingress.By.Select(rule => rule.Policy));
        var (allow, deny) = (Policy("z", RuleAction.Allow, null), Policy("y", RuleAction.Deny, null));
        check(By(allow, deny) == "n/y", "a denial outweighs");
        check(By(allow, Policy("x", RuleAction.Deny, 1001)) == "n/z" && By(allow, Policy("x", RuleAction.Deny, 999)) == "n/x" && By(allow, Policy("zz", RuleAction.Deny, 1000)) == "n/zz", "what adds up stands at 1000, last");
        check(By(Policy("b", RuleAction.Allow, 5), Policy("a", RuleAction.Deny, 5)) == "n/a" && By(Policy("b", RuleAction.Allow, 5), Policy("a", RuleAction.Deny, 6)) == "n/b", "order, then name");
        check(By(Policy("a", RuleAction.Pass, 1), Policy("b", RuleAction.Deny, 2)).Length == 0, "what passes is not denied by a rule");
        check(By(allow, allow with { Name = "a" }) == "n/a n/z", "all that allow");
        SegmentPolicy In(Tier tier, RuleAction action) => Policy(tier.Name, action, 1) with { Tier = tier };
        check(By(In(Tier.Baseline, RuleAction.Allow), In(Tier.Application, RuleAction.Deny), In(Tier.Admin, RuleAction.Allow)) == "n/admin", "tiers by order");
        check(By(In(new Tier("b", 7), RuleAction.Deny), In(new Tier("a", 7), RuleAction.Allow)) == "n/a", "tiers of one order by name");
        var two = SegmentPolicy.For("n", "p", LabelSelector.Everything) with { Target = new AnySegment([PodSegment.In("m", LabelSelector.Everything), PodSegment.In("n", LabelSelector.Everything)]), Ingress = [] };
        check(!new PolicyEvaluator(new PolicySet([two])).Evaluate(new Connection(a, b, 6, 1)).Allowed, "a target in two namespaces");
        var mixed = two with { Target = new AnySegment([PodSegment.In("m", LabelSelector.Everything), PodSegment.All]) };
        check(!new PolicyEvaluator(new PolicySet([mixed])).Evaluate(new Connection(a, b, 6, 1)).Allowed, "a target that is not confined");
        check(new PolicyEvaluator(new PolicySet([two])).Evaluate(new Connection(b, b with { Address = null }, 6, 1)).Allowed, "itself");
    }
}
