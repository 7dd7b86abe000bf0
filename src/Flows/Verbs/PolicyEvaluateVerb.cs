using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary><c>flows policy evaluate</c>: what a set of policies does to given connections in a given cluster.</summary>
internal static class PolicyEvaluateVerb
{
    private static readonly JsonWriterOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var cluster = PolicyOptions.ClusterFile();
        var policies = PolicyOptions.Policies();
        var connections = new Option<string>("--connections")
        {
            Description = "JSON Lines: {\"src\",\"dst\",\"port\",\"protocol\"}, with namespace/pod, a node, an address or a DNS name (a service's, too), and a port's number or name.",
            HelpName = "FILE",
            Required = true,
        };
        var dialect = PolicyOptions.Dialect();
        var keepGoing = PolicyOptions.KeepGoing();
        var output = CommonOptions.Output("table", "json");
        var command = new Command("evaluate", $"""
            Say for each connection whether a whole set of policies lets it through, and which rules decide: tiers, denials, default deny and all.
            Ends with exit code 0 whatever the decisions, and 2 if the set is invalid.

            Dialects, for what implementations do differently:
            {string.Join('\n', Dialect.All.Select(one => $"  {one.Name,-16}{one.Description}"))}

            Example: flows policy evaluate --cluster cluster.yaml --policies ./policies --connections wanted.jsonl --output json
            """)
        {
            cluster, policies, connections, dialect, keepGoing, output,
        };
        command.SetAction(parse =>
        {
            var set = PolicyOptions.ReadSet(parse.GetValue(policies)!, parse.GetValue(keepGoing));
            var fleet = PolicyOptions.ReadCluster(parse.GetValue(cluster)!);
            var evaluator = new PolicyEvaluator(set, fleet.NamespaceLabels, PolicyOptions.DialectOf(parse.GetValue(dialect), set));
            var asked = Questions(parse.GetValue(connections)!);
            if (parse.GetValue(output) == "json")
            {
                PrintJson(asked, fleet, evaluator);
            }
            else
            {
                PrintTable(asked, fleet, evaluator);
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }

    private sealed record Question(string Place, string Src, string Dst, byte Protocol, string Port);

    private static IEnumerable<Question> Questions(string path)
    {
        var file = PolicyOptions.ReadFile(path, "--connections");
        var number = 0;
        foreach (var line in file.Text.Split('\n'))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return Asked(line, $"{file.File}, line {number}");
            }
        }
    }

    private static Question Asked(string line, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            string Of(string name) => root.TryGetProperty(name, out var value) ? value.GetString() ?? "" : throw new FlowsException(ExitCode.Usage, $"{place}: there is no '{name}'.");
            var port = !root.TryGetProperty("port", out var given) || given.ValueKind == JsonValueKind.Null ? "0"
                : given.ValueKind == JsonValueKind.Number ? given.GetUInt16().ToString(CultureInfo.InvariantCulture)
                : given.GetString()!;
            var protocol = root.TryGetProperty("protocol", out var named) && named.ValueKind != JsonValueKind.Null ? named.GetString()! : "TCP";
            return new Question(place, Of("src"), Of("dst"), Protocol(protocol, place), port);
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            throw new FlowsException(ExitCode.Usage, $"{place}: not a connection such as {{\"src\":\"shop/web\",\"dst\":\"shop/api\",\"port\":8080,\"protocol\":\"TCP\"}}: {fault.Message}", fault);
        }
    }

    private static byte Protocol(string name, string place) => name.ToUpperInvariant() switch
    {
        "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        "ICMP" => IpProtocol.Icmp,
        "ICMPV6" or "ICMP6" => IpProtocol.IcmpV6,
        var other => byte.TryParse(other, CultureInfo.InvariantCulture, out var number) ? number : throw new FlowsException(ExitCode.Usage, $"{place}: '{name}' is not a protocol."),
    };

    /// <summary>
    /// The decision; of a service's address that of the first backend that is refused, else of the first. Null: nobody answers there, since the port's
    /// name is none of the destination's, or the service has no such port or backend.
    /// </summary>
    private static PolicyDecision? Judge(Question question, FleetView fleet, PolicyEvaluator evaluator)
    {
        try
        {
            var decisions = fleet.Connections(question.Src, question.Dst, question.Port, question.Protocol).Select(evaluator.Evaluate).ToList();
            return decisions.Find(decision => !decision.Allowed) ?? decisions.FirstOrDefault();
        }
        catch (FlowsException fault)
        {
            throw new FlowsException(fault.ExitCode, $"{question.Place}: {fault.Message}", fault);
        }
    }

    private static void PrintJson(IEnumerable<Question> questions, FleetView fleet, PolicyEvaluator evaluator)
    {
        using var to = Console.OpenStandardOutput();
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer, Lines);
        foreach (var question in questions)
        {
            Write(json, Judge(question, fleet, evaluator));
            json.Flush();
            json.Reset();
            buffer.WriteByte((byte)'\n');
            if (buffer.Length > 1 << 16)
            {
                buffer.WriteTo(to);
                buffer.SetLength(0);
            }
        }

        buffer.WriteTo(to);
    }

    private static void Write(Utf8JsonWriter json, PolicyDecision? decision)
    {
        json.WriteStartObject();
        json.WriteBoolean("allowed", decision?.Allowed ?? false);
        Write(json, "egress", decision?.Egress);
        Write(json, "ingress", decision?.Ingress);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, SideDecision? side)
    {
        json.WriteStartObject(name);
        json.WriteBoolean("allowed", side?.Allowed ?? false);
        if (side is null)
        {
            json.WriteString("by", "nobody_listens");
        }
        else if (side.By.Count == 0)
        {
            json.WriteString("by", "default");
        }
        else
        {
            json.WriteStartArray("by");
            foreach (var rule in side.By)
            {
                json.WriteStartObject();
                json.WriteString("policy", rule.Policy);
                json.WriteNumber("rule", rule.Rule);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void PrintTable(IEnumerable<Question> questions, FleetView fleet, PolicyEvaluator evaluator)
    {
        var table = new DataTable("verdict", "src", "dst", "protocol", "port", "egress", "ingress");
        foreach (var question in questions)
        {
            var decision = Judge(question, fleet, evaluator);
            table.Add(decision is null ? "nobody_listens" : decision.Allowed ? "allowed" : "denied", question.Src, question.Dst, IpProtocol.NameOf(question.Protocol), question.Port,
                Said(decision?.Egress), Said(decision?.Ingress));
        }

        table.Print("table", Console.Out);
    }

    private static string Said(SideDecision? side) => side is null ? ""
        : (side.Allowed ? "allowed" : "denied") + " by " + (side.By.Count > 0 ? string.Join(", ", side.By.Select(rule => $"{rule.Policy}[{rule.Rule}]"))
            : side.IsolatedBy.Count > 0 ? $"default of {string.Join(", ", side.IsolatedBy)}" : "default");
}
