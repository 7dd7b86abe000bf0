using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows policy explain</c>: why a connection is allowed, denied, suggested or not, and why there is no edge.</summary>
internal static class PolicyExplainVerb
{
    public static Command Create()
    {
        var src = new Argument<string>("SRC") { Description = "Who dials: namespace/workload, namespace/pod, a host's name or an address." };
        var dst = new Argument<string>("DST") { Description = "Who answers, written alike." };
        var port = new Argument<string>("PORT") { Description = "The port that answers, such as 8080 or 53/udp." };
        var from = new PolicyStoreOptions();
        var policies = PolicyOptions.Policies();
        policies.Required = false;
        var keepGoing = PolicyOptions.KeepGoing();
        var output = CommonOptions.Output("table", "json");
        var command = new Command("explain", """
            Say of one connection whether the given policies, those of the cluster (where the store watches one) and a suggestion let it through, and by
            which rule or for want of which; what was seen of it; why it is suggested or not; and where nothing was seen, why that may be.

            Example: flows policy explain shop/web shop/api 8080 --store ./store --policies ./policies
            """)
        {
            src, dst, port, policies, keepGoing, output,
        };
        from.AddTo(command);
        command.SetAction(parse =>
        {
            var seen = from.Read(parse);
            var (protocol, number) = Port(parse.GetValue(port)!);
            List<NamedSet> sets = [];
            if (parse.GetValue(policies) is { } path)
            {
                sets.Add(new NamedSet("policies", PolicyOptions.ReadSet(path, parse.GetValue(keepGoing))));
            }

            if (seen.ClusterPolicies is { } own)
            {
                sets.Add(new NamedSet("cluster", own));
            }

            var explainer = new PolicyExplainer(seen.Input, seen.Options, Gaps(parse, from));
            var answer = explainer.Explain(
                new ExplainQuestion(parse.GetValue(src)!, parse.GetValue(dst)!, protocol, number), sets, PolicySuggester.Suggest(seen.Observed));
            if (parse.GetValue(output) == "json")
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(ExplainReport.Of(answer), Json.Indented.ExplainReport));
            }
            else
            {
                Print(answer);
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static (byte Protocol, ushort Port) Port(string text)
    {
        var parts = text.Split('/', ' ');
        var (number, protocol) = parts.Length == 2 && !char.IsAsciiDigit(parts[0][..1].FirstOrDefault()) ? (parts[1], parts[0]) : (parts[0], parts.ElementAtOrDefault(1) ?? "tcp");
        return parts.Length <= 2 && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? (protocol.ToUpperInvariant() switch
            {
                "TCP" => IpProtocol.Tcp,
                "UDP" => IpProtocol.Udp,
                "SCTP" => IpProtocol.Sctp,
                _ => throw new FlowsException(ExitCode.Usage, $"'{protocol}' is no protocol with ports; there are tcp, udp and sctp."),
            }, port)
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is no port; write it like 8080 or 53/udp.");
    }

    /// <summary>What sources said that they did not see in the span.</summary>
    private static List<string> Gaps(ParseResult parse, PolicyStoreOptions from)
    {
        var (sinceUs, untilUs) = CommonOptions.Span(parse.GetValue(from.Since), parse.GetValue(from.Until), TimeProvider.System);
        using var reader = StoreReader.Open(parse.GetValue(from.Store)!.FullName);
        return [.. reader.Gaps(sinceUs, untilUs).Select(VisibleText.Of)];
    }

    private static void Print(Explanation answer)
    {
        var lines = new List<string> { $"{answer.Src} to {answer.Dst} on {answer.Port}" };
        foreach (var set in answer.Sets)
        {
            lines.Add($"{set.Set}: {set.Verdict}");
            lines.AddRange(set.Egress.Select(line => $"  egress: {line}"));
            lines.AddRange(set.Ingress.Select(line => $"  ingress: {line}"));
        }

        var seen = answer.Seen;
        lines.Add(seen.Connections == 0 ? "seen: nothing"
            : $"seen: {seen.Connections} connections ({seen.Answered} answered, {seen.Refused} refused, {seen.Unanswered} without an answer) "
                + $"from {UnixTime.Text(seen.FirstSeenUs!.Value)} to {UnixTime.Text(seen.LastSeenUs!.Value)}, by {string.Join(", ", seen.Nodes)}; ends known by {string.Join(", ", seen.ResolvedBy)}");
        lines.AddRange(answer.Suggested.Select(line => $"  {line}"));
        lines.AddRange(answer.WhyNoEdge.Select(line => $"  {line}"));
        lines.ForEach(line => Console.Out.WriteLine(VisibleText.Of(line)));
    }
}

/// <summary>An explanation, for programs.</summary>
internal sealed record ExplainReport(
    string Src, string Dst, string Port, IReadOnlyList<SetAnswer> Sets, ExplainSeen Seen, IReadOnlyList<string> Suggested, IReadOnlyList<string> WhyNoEdge)
{
    public static ExplainReport Of(Explanation answer) => new(
        answer.Src,
        answer.Dst,
        answer.Port,
        answer.Sets,
        new ExplainSeen(
            answer.Seen.Connections, answer.Seen.Answered, answer.Seen.Refused, answer.Seen.Unanswered, Time(answer.Seen.FirstSeenUs), Time(answer.Seen.LastSeenUs), answer.Seen.Nodes,
            answer.Seen.ResolvedBy),
        answer.Suggested,
        answer.WhyNoEdge);

    private static string? Time(long? us) => us is { } time ? UnixTime.Text(time) : null;
}

/// <summary>What was seen of the connection.</summary>
internal sealed record ExplainSeen(
    long Connections, long Answered, long Refused, long Unanswered, string? FirstSeen, string? LastSeen, IReadOnlyList<string> Nodes, IReadOnlyList<string> ResolvedBy);
