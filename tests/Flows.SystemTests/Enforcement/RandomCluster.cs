using System.Net;
using Flows.KernelCluster;
using k8s.Models;

namespace Flows.SystemTests.Enforcement;

/// <summary>A random cluster with policies in which rules meet often: few labels, ports and ranges.</summary>
internal sealed class RandomCluster
{
    private static readonly string[] Values = ["one", "two", "tow"];
    private static readonly string[] Ranges = ["10.50.0.0/24", "10.50.0.0/29", "10.50.0.8/30", "0.0.0.0/0", "192.0.2.0/24", "10.50.0.5/32"];
    private static readonly string[] Protocols = ["TCP", "UDP", "SCTP"];
    private static readonly int[] Numbers = [53, 80, 81, 443, 8080, 65535];
    private readonly Random random;

    public RandomCluster(int seed)
    {
        random = new Random(seed);
        Pods =
        [
            .. Enumerable.Range(1, 20).Select(i => new TestPod("abc"[i % 3].ToString(), $"p{i}", IPAddress.Parse($"10.50.0.{i}"), Labels(), Ports())),
            .. ((string[])["192.0.2.7", "203.0.113.9"]).Select(address => new TestPod("", address, IPAddress.Parse(address), new Dictionary<string, string>(), [])),
        ];
        Policies = [.. Enumerable.Range(0, 3 + random.Next(8)).Select(Policy)];
    }

    public IReadOnlyList<TestPod> Pods { get; }

    public IReadOnlyList<V1NetworkPolicy> Policies { get; }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Namespaces { get; } = ((string[])["a", "b", "c"]).ToDictionary(
        name => name,
        name => (IReadOnlyDictionary<string, string>)new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = name, ["team"] = name == "c" ? "two" : "one" });

    /// <summary>A connection between two different ends.</summary>
    public (TestPod Src, TestPod Dst, byte Protocol, ushort Port) Connection()
    {
        var src = Any(Pods);
        var dst = Any([.. Pods.Where(pod => pod != src)]);
        return (src, dst, Any<byte>([6, 17, 132]), (ushort)Any(Numbers));
    }

    private T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    private bool Often => random.Next(4) > 0;

    private Dictionary<string, string> Labels() => ((string[])["app", "env"]).Where(_ => Often).ToDictionary(key => key, _ => Any(Values));

    private List<V1ContainerPort> Ports() =>
    [
        new() { Name = "web", ContainerPort = Any(Numbers), Protocol = "TCP" },
        new() { Name = "dns", ContainerPort = Any(Numbers), Protocol = Any(Protocols) },
    ];

    private V1NetworkPolicy Policy(int number)
    {
        var types = Any<string[]>([["Ingress"], ["Egress"], ["Ingress", "Egress"]]);
        return new V1NetworkPolicy
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "NetworkPolicy",
            Metadata = new V1ObjectMeta { Name = $"policy-{number}", NamespaceProperty = Any(["a", "b", "c"]) },
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = Selector("app", "env"),
                PolicyTypes = types,
                Ingress = types.Contains("Ingress") && Often ? [.. Many(3, () => new V1NetworkPolicyIngressRule { FromProperty = Peers(), Ports = PolicyPorts() })] : null,
                Egress = types.Contains("Egress") && Often ? [.. Many(3, () => new V1NetworkPolicyEgressRule { To = Peers(), Ports = PolicyPorts() })] : null,
            },
        };
    }

    private IEnumerable<T> Many<T>(int most, Func<T> make) => Enumerable.Range(0, 1 + random.Next(most)).Select(_ => make());

    private List<V1NetworkPolicyPeer>? Peers() => Often ? [.. Many(3, Peer)] : null;

    private V1NetworkPolicyPeer Peer()
    {
        switch (random.Next(4))
        {
            case 0:
                var range = Any(Ranges);
                return new() { IpBlock = new V1IPBlock { Cidr = range, Except = range == "10.50.0.0/24" ? ["10.50.0.8/30"] : range == "0.0.0.0/0" ? ["10.50.0.0/29", "192.0.2.0/24"] : null } };
            case 1:
                return new() { NamespaceSelector = Selector("team"), PodSelector = Often ? Selector("app", "env") : null };
            case 2:
                return new() { NamespaceSelector = Selector("team") };
            default:
                return new() { PodSelector = Selector("app", "env") };
        }
    }

    private List<V1NetworkPolicyPort>? PolicyPorts() => Often ? [.. Many(2, PolicyPort)] : null;

    private V1NetworkPolicyPort PolicyPort()
    {
        var protocol = random.Next(5) == 0 ? null : Any(Protocols);
        switch (random.Next(5))
        {
            case 0:
                return new() { Protocol = protocol };
            case 1:
                return new() { Protocol = protocol, Port = Any(["web", "dns"]) };
            case 2:
                var (one, other) = (Any(Numbers), Any(Numbers));
                return new() { Protocol = protocol, Port = Math.Min(one, other).ToString(System.Globalization.CultureInfo.InvariantCulture), EndPort = Math.Max(one, other) };
            default:
                return new() { Protocol = protocol, Port = Any(Numbers).ToString(System.Globalization.CultureInfo.InvariantCulture) };
        }
    }

    private V1LabelSelector Selector(params string[] keys)
    {
        var selector = new V1LabelSelector();
        foreach (var key in keys.Where(_ => random.Next(2) == 0))
        {
            if (random.Next(3) > 0)
            {
                selector.MatchLabels ??= new Dictionary<string, string>();
                selector.MatchLabels[key] = Any(Values);
            }
            else
            {
                selector.MatchExpressions ??= [];
                var operation = Any(["In", "NotIn", "Exists", "DoesNotExist"]);
                selector.MatchExpressions.Add(new() { Key = key, OperatorProperty = operation, Values = operation.EndsWith("In", StringComparison.Ordinal) ? [Any(Values), "four"] : null });
            }
        }

        return selector;
    }
}
