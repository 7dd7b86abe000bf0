namespace Flows.Web.Api;

/// <summary>The graph as the page draws it.</summary>
/// <param name="Groups">The boxes around nodes that belong together.</param>
internal sealed record MapAnswer(string Level, IReadOnlyList<MapGroup> Groups, IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<LinkAnswer> Links, HiddenAnswer Hidden);

/// <summary>A node.</summary>
/// <param name="Name">The label without what its group says already.</param>
/// <param name="Group">Null where it stands for itself.</param>
internal sealed record NodeAnswer(
    string Id, string Kind, string Label, string Name, string? Group, string Cluster, string Scope, string Namespace, int Entities, IReadOnlyList<string> Addresses,
    int AddressCount, IReadOnlyList<string> Flags);

/// <summary>Everything that one node did to another.</summary>
/// <param name="Services">Which services were dialled on the way.</param>
internal sealed record LinkAnswer(
    string Id, string From, string To, IReadOnlyList<PortAnswer> Ports, IReadOnlyList<string> Services, IReadOnlyList<string> Backends,
    long Connections, long Answered, long Refused, long Unanswered, long DirectionTrusted, long FwdBytes, long RevBytes, string FirstSeen, string LastSeen,
    IReadOnlyList<string> Witnesses, IReadOnlyList<string> Flags);

/// <summary>A port that a link uses.</summary>
internal sealed record PortAnswer(string Protocol, ushort Port, long Connections);

/// <summary>How much did not fit.</summary>
internal sealed record HiddenAnswer(int Nodes, int Links);
