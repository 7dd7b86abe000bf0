using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>Two teams, a namespace of none, a node and the world: enough to see what a policy's text means.</summary>
internal static class SmallCluster
{
    private static readonly Dictionary<string, IReadOnlyDictionary<string, string>> NamespaceLabels = new()
    {
        ["shop"] = new Dictionary<string, string> { [PodSegment.NameLabel] = "shop", ["team"] = "a", ["tier"] = "x" },
        ["data"] = new Dictionary<string, string> { [PodSegment.NameLabel] = "data", ["team"] = "b", ["tier"] = "x" },
        ["lab"] = new Dictionary<string, string> { [PodSegment.NameLabel] = "lab" },
    };

    private static readonly Dictionary<string, Party> Parties = ((Party[])
    [
        Pod("shop/web", "web", "10.0.0.1"),
        Pod("shop/api", "api", "10.0.0.2") with { Ports = [new NamedPort("http", IpProtocol.Tcp, 8080), new NamedPort("dns", IpProtocol.Udp, 53)], Services = ["shop/api"] },
        Pod("data/db", "db", "10.0.1.1"),
        Pod("lab/web", "web", "10.0.2.1"),
        new() { Id = "node", HostLabels = new Dictionary<string, string> { [HostSegment.NameLabel] = "n1", ["role"] = "worker" }, Address = Single("10.1.0.1") },
        new() { Id = "world", Address = Single("192.0.2.1"), Names = ["www.example.com"] },
        new() { Id = "world6", Address = Single("2001:db8::1") },
    ]).ToDictionary(party => party.Id);

    /// <summary>The set in the texts of one file.</summary>
    public static PolicySet Read(params string[] texts) => PolicyReader.Read([new PolicyDocument("p.yaml", string.Join("\n---\n", texts))]);

    /// <summary>What is wrong with a text.</summary>
    public static string FaultOf(string text)
    {
        var fault = Assert.ThrowsAny<FlowsException>(() => Read(text));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        return fault.Message;
    }

    /// <summary>Whether the set lets <c>src&gt;dst protocol port</c> through, in the dialect that it asks for.</summary>
    public static bool Allows(PolicySet set, string question)
    {
        var words = question.Split('>', ' ');
        var connection = new Connection(Parties[words[0]], Parties[words[1]], Protocol(words.ElementAtOrDefault(2)), words.Length > 3 ? ushort.Parse(words[3], null) : (ushort)80)
        {
            OwnNode = question.EndsWith("own", StringComparison.Ordinal),
        };
        return new PolicyEvaluator(set, NamespaceLabels, Dialect.Of(set)).Evaluate(connection).Allowed;
    }

    /// <summary>Every question that begins with <c>+</c> is let through, every other is not.</summary>
    public static void Check(PolicySet set, params string[] questions) => Assert.All(questions, question => Assert.Equal(question[0] == '+', Allows(set, question[1..])));

    private static byte Protocol(string? word) => word switch { null or "tcp" => IpProtocol.Tcp, "udp" => IpProtocol.Udp, "sctp" => IpProtocol.Sctp, _ => IpProtocol.Icmp };

    private static Party Pod(string id, string app, string address) => new()
    {
        Id = id,
        Selectable = true,
        Namespace = id.Split('/')[0],
        Labels = new Dictionary<string, string> { ["app"] = app },
        Address = Single(address),
    };

    private static NetBlock Single(string address) => NetBlock.Of(NetAddress.Parse(address));
}
