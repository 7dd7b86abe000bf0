using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>Cases that others wrote, where they are at hand beside the repository; see its README for their origin.</summary>
public sealed class TruthTests
{
    [Theory]
    [InlineData("k8s-e2e-netpol")]
    [InlineData("recipes")]
    public void Evaluator_agrees_with_foreign_verdicts(string suite)
    {
        List<string> wrong = [];
        var checks = 0;
        foreach (var given in Cases(suite))
        {
            var steps = given.TryGetProperty("steps", out var many) ? many.EnumerateArray().ToList() : [given];
            foreach (var step in steps)
            {
                var evaluator = Evaluator(given, step);
                var parties = Either(given, step, "pods").EnumerateArray().Select(Party).ToDictionary(party => party.Id);
                var probes = step.TryGetProperty("probes", out var probed) ? probed.EnumerateArray().ToList() : [step];
                foreach (var (probe, pair, want) in probes.SelectMany(probe => probe.GetProperty("expected").EnumerateObject().Select(pair => (probe, pair.Name.Split('>'), pair.Value.GetBoolean()))))
                {
                    if (pair[0] == pair[1])
                    {
                        continue;
                    }

                    checks++;
                    var connection = new Connection(parties[pair[0]], parties[pair[1]], Protocol(probe.GetProperty("protocol")), Port(parties[pair[1]], probe.GetProperty("port")));
                    if (evaluator.Evaluate(connection).Allowed != want)
                    {
                        wrong.Add($"{given.GetProperty("id")}: {connection} should be {want}");
                    }
                }
            }
        }

        Assert.True(checks > 1000);
        Assert.Empty(wrong);
    }

    [Fact]
    public void Tiers_agree_with_the_conformance_tests_of_cluster_policies()
    {
        List<string> wrong = [];
        var checks = 0;
        foreach (var given in Cases("network-policy-api-conformance"))
        {
            foreach (var step in given.GetProperty("steps").EnumerateArray())
            {
                var fleet = Fleet(given, step);
                var evaluator = new PolicyEvaluator(Read("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":" + step.GetProperty("policies").GetRawText() + "}"), fleet.NamespaceLabels);
                foreach (var asked in step.GetProperty("connections").EnumerateArray())
                {
                    checks++;
                    var connection = fleet.Between(asked.GetProperty("src").GetString()!, asked.GetProperty("dst").GetString()!, asked.GetProperty("port").ToString(), Protocol(asked.GetProperty("protocol")))!;
                    if (evaluator.Evaluate(connection).Allowed != asked.GetProperty("allowed").GetBoolean())
                    {
                        wrong.Add($"{given.GetProperty("id")}: {connection} should be {asked.GetProperty("allowed")}");
                    }
                }
            }
        }

        Assert.True(checks > 250);
        Assert.Empty(wrong);
    }

    [Fact]
    public void Selectors_agree_with_foreign_matches()
    {
        // An absent selector is not a selector: what it means is up to the field that lacks it.
        foreach (var given in Cases("k8s-label-selector").Where(given => given.GetProperty("selector").ValueKind != JsonValueKind.Null))
        {
            var policy = "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"podSelector\":" + given.GetProperty("selector").GetRawText() + "}}";
            if (given.TryGetProperty("match", out var match))
            {
                var labels = given.GetProperty("labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!);
                Assert.True(match.GetBoolean() == Read(policy).Policies[0].Pods.Matches(labels), given.GetRawText());
            }
            else
            {
                Assert.True(given.GetProperty("valid").GetBoolean() == IsValid(policy), given.GetRawText());
            }
        }
    }

    [Fact]
    public void Reader_takes_what_the_api_takes()
    {
        foreach (var given in Cases("k8s-api-validation"))
        {
            Assert.True(given.GetProperty("valid").GetBoolean() == IsValid(given.GetProperty("policy").GetRawText()), given.GetRawText());
        }
    }

    [Fact]
    public void Reading_and_writing_keeps_every_foreign_verdict()
    {
        foreach (var step in Cases("k8s-e2e-netpol").SelectMany(given => given.GetProperty("steps").EnumerateArray()))
        {
            var set = Read("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":" + step.GetProperty("policies").GetRawText() + "}");
            var again = Policy.Fleet.RoundTrip(set);
            Assert.Equal(set.Policies.Select(Meaning), again.Policies.Select(Meaning));
        }
    }

    [Fact]
    public void Online_boutique_gets_exactly_its_edges_and_its_published_policies_deny_none()
    {
        var folder = Path.Combine(Root(), "..", "shared", "truth", "online-boutique");
        Assert.SkipUnless(Directory.Exists(folder), $"There is no {Path.GetFullPath(folder)}.");
        var edges = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "edges.json"))).RootElement.GetProperty("edges").EnumerateArray()
            .Select(edge => Policy.Fleet.Edge(Workload(edge[0]), Workload(edge[1]), edge[2].GetUInt16())).ToList();
        var input = Policy.Fleet.Input(edges);
        var suggested = new PolicyEvaluator(Policy.Fleet.RoundTrip(PolicySuggester.Suggest(input).Set));
        var pods = edges.SelectMany(edge => new[] { edge.Src, edge.Dst }).DistinctBy(pod => pod.Id).ToList();
        var servers = edges.Select(edge => (edge.Dst, edge.DstPort)).DistinctBy(server => (server.Dst.Id, server.DstPort)).ToList();
        var allowed = from client in pods
                      from server in servers
                      where client.Id != server.Dst.Id && suggested.Evaluate(new Connection(Of(client), Of(server.Dst), IpProtocol.Tcp, server.DstPort)).Allowed
                      select (client.Id, server.Dst.Id, server.DstPort);
        Assert.Equal(edges.Select(edge => (edge.Src.Id, edge.Dst.Id, edge.DstPort)).Order(), allowed.Order());

        var published = Directory.GetFiles(Path.Combine(folder, "kustomize", "components", "network-policies"), "network-policy-*.yaml");
        Assert.Empty(PolicyReplay.Run(input, KubernetesReader.Read(published.Select(file => new PolicyDocument(file, File.ReadAllText(file))))).Denied);

        static Core.Identity.Entity Workload(JsonElement name) => Policy.Fleet.App(name.GetString()!.Split('/')[1], ns: "default");
        static Party Of(Core.Identity.Entity pod) => new() { Id = pod.Name, Selectable = true, Namespace = pod.Namespace, Labels = pod.Labels };
    }

    private static string Meaning(SegmentPolicy policy) => $"{policy.Id} {policy.Pods} {policy.Ingress is null} {policy.Egress is null} "
        + string.Join(';', policy.AllRules().Select(rule => $"{rule.Direction} {rule.Rule.Key}"));

    private static bool IsValid(string policy)
    {
        try
        {
            Read(policy);
            return true;
        }
        catch (FlowsException fault)
        {
            Assert.Equal(ExitCode.Usage, fault.ExitCode);
            Assert.StartsWith("case.json", fault.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static PolicySet Read(string text) => PolicyReader.Read([new PolicyDocument("case.json", text)]);

    private static PolicyEvaluator Evaluator(JsonElement given, JsonElement step)
    {
        var namespaces = Either(given, step, "namespaces").EnumerateObject().ToDictionary(
            ns => ns.Name,
            ns => (IReadOnlyDictionary<string, string>)ns.Value.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!));
        return new PolicyEvaluator(Read("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":" + Either(given, step, "policies").GetRawText() + "}"), namespaces);
    }

    private static Party Party(JsonElement pod) => new()
    {
        Id = $"{pod.GetProperty("ns").GetString()}/{pod.GetProperty("name").GetString()}",
        Selectable = true,
        Namespace = pod.GetProperty("ns").GetString()!,
        Labels = pod.GetProperty("labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!),
        Address = NetBlock.Of(NetAddress.Parse(pod.GetProperty("ip").GetString()!)),
        Ports = [.. pod.GetProperty("ports").EnumerateArray().Where(port => port.GetProperty("name").ValueKind == JsonValueKind.String)
            .Select(port => new NamedPort(port.GetProperty("name").GetString()!, Protocol(port.GetProperty("protocol")), port.GetProperty("port").GetUInt16()))],
    };

    private static FleetView Fleet(JsonElement given, JsonElement step)
    {
        var hosts = given.GetProperty("nodes").EnumerateArray().Select(node =>
        {
            var labels = node.GetProperty("labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!);
            var addresses = node.GetProperty("ips").EnumerateArray().Select(ip => NetAddress.Parse(ip.GetString()!)).ToList();
            return new FleetHost(node.GetProperty("name").GetString()!, new Party { Id = $"node {node.GetProperty("name")}", HostLabels = labels, Address = NetBlock.Of(addresses[0]) }, addresses);
        }).ToList();
        var pods = given.GetProperty("pods").EnumerateArray().Select(pod =>
        {
            var party = Party(pod);
            var host = pod.GetProperty("hostNetwork").GetBoolean() ? hosts.Find(one => NetBlock.Of(one.Addresses[0]) == party.Address)! : null;
            return new FleetPod(party with { Selectable = host is null, HostLabels = host?.Party.HostLabels }, [party.Address!.Value.First], "", party.Id, IsRunning: true);
        }).ToList();
        var namespaces = Either(given, step, "namespaces").EnumerateObject().ToDictionary(
            ns => ns.Name,
            ns => (IReadOnlyDictionary<string, string>)ns.Value.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!));
        return new FleetView(namespaces, pods, hosts, []);
    }

    private static ushort Port(Party destination, JsonElement port) => port.ValueKind == JsonValueKind.Number
        ? port.GetUInt16()
        : destination.Ports.First(named => named.Name == port.GetString()).Port;

    private static byte Protocol(JsonElement name) => name.GetString() switch { "UDP" => IpProtocol.Udp, "SCTP" => IpProtocol.Sctp, _ => IpProtocol.Tcp };

    private static JsonElement Either(JsonElement given, JsonElement step, string name) => step.TryGetProperty(name, out var value) ? value : given.GetProperty(name);

    private static IEnumerable<JsonElement> Cases(string suite)
    {
        var file = Path.Combine(Root(), "..", "shared", "truth", suite, "cases.jsonl");
        Assert.SkipUnless(File.Exists(file), $"There is no {Path.GetFullPath(file)}.");
        return File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement);
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at.Parent is not null && !File.Exists(Path.Combine(at.FullName, "Flows.sln")))
        {
            at = at.Parent;
        }

        return at.FullName;
    }
}
