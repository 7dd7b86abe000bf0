using System.Text.Json;
using System.Text.Json.Serialization;
using Flows.Core.Identity;

namespace Flows.Demo;

/// <summary>
/// One end of a connection as the ledger should name it. Somebody outside has the address as <see cref="Name"/>; where a hostNetwork
/// pod shares its node's address the kind is <c>ambiguous</c> and <see cref="Candidates"/> names both.
/// </summary>
internal sealed record TruthEnd(string Kind, string Namespace, string Name, string Workload)
{
    public IReadOnlyList<string> Candidates { get; init; } = [];

    /// <summary>The end as one text, such as <c>pod data/db-0</c>: equal for the same entity and for nothing else.</summary>
    [JsonIgnore]
    public string Text => Namespace.Length > 0 ? $"{Kind} {Namespace}/{Name}" : $"{Kind} {Name}";

    public static TruthEnd Of(FleetService service) => new(Entity.TextOf(EntityKind.Service), service.Namespace, service.Name, "");

    /// <summary>The end that a member or a node of the plan appears as.</summary>
    public static TruthEnd Of(string name)
    {
        var node = FleetPlan.Nodes.FirstOrDefault(known => known.Name == name);
        var member = node is null ? FleetPlan.Member(name) : FleetPlan.Members.FirstOrDefault(known => known.HostNetwork && known.Node == name);
        if (member is { HostNetwork: true })
        {
            return new(Entity.TextOf(EntityKind.Ambiguous), "", $"{member.Node}, {member.Name}", "") { Candidates = [member.Node, member.Name] };
        }

        return member is null ? new(Entity.TextOf(EntityKind.Node), "", name, "") : new(Entity.TextOf(member.Kind), member.Namespace, name, member.Workload);
    }
}

/// <summary>One connection that the fleet really made, as its two ends report it. Times are microseconds since the epoch.</summary>
internal sealed record TruthConnection
{
    public required TruthEnd Src { get; init; }

    /// <summary>Who answered, or would have.</summary>
    public required TruthEnd Dst { get; init; }

    /// <summary>The service whose address was dialled, or null.</summary>
    public required TruthEnd? Service { get; init; }

    /// <summary><c>tcp</c> or <c>udp</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>The answering port, after DNAT.</summary>
    public required int Port { get; init; }

    public required int? ServicePort { get; init; }

    public required DialOutcome Outcome { get; init; }

    public required string SrcAddress { get; init; }

    public required int SrcPort { get; init; }

    /// <summary>As the client dialled it.</summary>
    public required string DialledAddress { get; init; }

    /// <summary>The address that answered.</summary>
    public required string DstAddress { get; init; }

    /// <summary>Payload bytes from the client.</summary>
    public required long Sent { get; init; }

    public required long Received { get; init; }

    public required long StartUs { get; init; }

    public required long EndUs { get; init; }

    /// <summary>The watched machines that it passed, sorted: nodes, and a VM at its end.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }
}

/// <summary>An edge that must be observed: connections with the same ends, service, protocol and ports.</summary>
internal sealed record TruthEdge(TruthEnd Src, TruthEnd Dst, TruthEnd? Service, string Protocol, int Port, int? ServicePort)
{
    public IReadOnlyList<TruthConnection> Connections { get; init; } = [];

    public long Answered => Count(DialOutcome.Answered);

    public long Refused => Count(DialOutcome.Refused);

    public long Unanswered => Count(DialOutcome.Unanswered);

    public string Text => TextOf(Src.Text, Dst.Text, Service?.Text, Protocol, Port, ServicePort);

    /// <summary>An edge as one line: <c>pod shop/web-1 -> pod shop/api-2 tcp/8080 via service shop/api:80</c>.</summary>
    public static string TextOf(string src, string dst, string? service, string protocol, int port, int? servicePort) =>
        $"{src} -> {dst} {protocol}/{port}{(service is null ? "" : $" via {service}:{servicePort}")}";

    private long Count(DialOutcome outcome) => Connections.Count(connection => connection.Outcome == outcome);
}

/// <summary>What really happened in a demo, known from the programs themselves and not from any capture.</summary>
internal sealed record DemoTruth
{
    /// <summary>All connections in the order in which they began.</summary>
    public required IReadOnlyList<TruthConnection> Connections { get; init; }

    /// <summary>The connections as edges, in the order of their text.</summary>
    [JsonIgnore]
    public IReadOnlyList<TruthEdge> Edges =>
    [
        .. Connections
            .GroupBy(one => TruthEdge.TextOf(one.Src.Text, one.Dst.Text, one.Service?.Text, one.Protocol, one.Port, one.ServicePort))
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new TruthEdge(group.First().Src, group.First().Dst, group.First().Service, group.First().Protocol, group.First().Port, group.First().ServicePort)
            {
                Connections = [.. group],
            }),
    ];

    public string ToJson() => JsonSerializer.Serialize(this, Json.Compact.DemoTruth);

    /// <exception cref="JsonException">The text is not what <see cref="ToJson"/> wrote.</exception>
    public static DemoTruth FromJson(string json) =>
        JsonSerializer.Deserialize(json, Json.Compact.DemoTruth) ?? throw new JsonException("The demo's truth is null.");
}
