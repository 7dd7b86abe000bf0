using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.KernelCluster;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;
using k8s;

namespace Flows.SystemTests.Enforcement;

/// <summary>The evaluator against the kernel: random policies are loaded as packet filter rules by a translation of their own, and real packets say what they mean.</summary>
public sealed class KernelAgreesTests(ITestOutputHelper output)
{
    [Fact]
    public void Kernel_and_evaluator_agree_on_random_connections()
    {
        Require.RootAnd("ip", "nft", "sysctl");
        var (clusters, connections) = ConntrackNetns.Long ? (200, 1000) : (20, 600);
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FLOWS_POLICY_SEED"), System.Globalization.CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1 << 20);
        output.WriteLine($"FLOWS_POLICY_SEED={seed}");
        using var router = new KernelRouter();
        var (judged, passed) = (0, 0);
        for (var number = 0; number < clusters; number++)
        {
            var cluster = new RandomCluster(seed + number);
            var yaml = string.Join("\n---\n", cluster.Policies.Select(policy => KubernetesYaml.Serialize(policy)));
            var rules = new NaiveNftables(cluster.Pods, cluster.Namespaces, cluster.Policies).Rules();
            router.Load(rules);
            var evaluator = new PolicyEvaluator(PolicyReader.Read([new PolicyDocument("random.yaml", yaml)]), cluster.Namespaces);
            var parties = cluster.Pods.ToDictionary(pod => pod, PartyOf);
            var asked = Enumerable.Range(0, connections).Select(_ => cluster.Connection()).ToList();
            var arrived = router.Send([.. asked.Select(one => new Probe(one.Src.Address, one.Dst.Address, one.Protocol, one.Port))]);
            for (var i = 0; i < asked.Count; i++)
            {
                var connection = new Connection(parties[asked[i].Src], parties[asked[i].Dst], asked[i].Protocol, asked[i].Port);
                var decision = evaluator.Evaluate(connection);
                Assert.True(arrived[i] == decision.Allowed, $"seed {seed + number}: the kernel {(arrived[i] ? "lets through" : "stops")} {connection}\n{yaml}\n{rules}");
                judged++;
                passed += arrived[i] ? 1 : 0;
            }
        }

        output.WriteLine($"{judged} connections, {passed} let through");
        Assert.True(judged >= 10_000 && passed > judged / 10 && passed < judged * 9 / 10, $"{passed} of {judged} passed");
    }

    private static Party PartyOf(TestPod pod) => new()
    {
        Id = $"{pod.Namespace}/{pod.Name}",
        Selectable = !pod.IsOutside,
        Namespace = pod.Namespace,
        Labels = pod.Labels,
        Address = NetBlock.Of(NetAddress.Parse(pod.Address.ToString())),
        Ports = [.. pod.Ports.Select(port => new NamedPort(port.Name, port.Protocol switch { "UDP" => 17, "SCTP" => 132, _ => 6 }, (ushort)port.ContainerPort))],
    };
}
