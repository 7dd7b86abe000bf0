namespace Flows.Benchmarks.Policy.Scores;

/// <summary>What one suggestion was worth on traffic that it had not seen. Shares are 0 to 1.</summary>
internal sealed record PolicyScore
{
    public required string Topology { get; init; }

    public required string Variant { get; init; }

    public required long Connections { get; init; }

    /// <summary>Needed connections of the test that the set denies.</summary>
    public required long DeniedConnections { get; init; }

    /// <summary>Of these: of edges that were seen in training.</summary>
    public required long DeniedConnectionsSeen { get; init; }

    /// <summary>Needed connections of edges that nobody had seen in training: no method that only watches can know them.</summary>
    public required long FloorConnections { get; init; }

    public required int Edges { get; init; }

    public required int DeniedEdges { get; init; }

    public required int FloorEdges { get; init; }

    /// <summary>Denied although seen in training.</summary>
    public required IReadOnlyList<string> DeniedSeen { get; init; }

    /// <summary>Triples (client, server, listening port) that no need explains.</summary>
    public required int Untrue { get; init; }

    /// <summary>Of these: let through.</summary>
    public required IReadOnlyList<string> AllowedUntrue { get; init; }

    /// <summary>Listening ports that the scanner may reach, of all.</summary>
    public required (int Reached, int All) Scanner { get; init; }

    /// <summary>Needed clients that were taken for scanners.</summary>
    public required int FalseScanners { get; init; }

    public required int Rules { get; init; }

    public required int Objects { get; init; }

    public required int TrueEdges { get; init; }

    /// <summary>Rules with twice the traffic over the same edges, to rules.</summary>
    public required double Growth { get; init; }

    /// <summary>Policies of workloads that are gone or new with twice the traffic.</summary>
    public required int Renames { get; init; }

    /// <summary>Policies that close a namespace; those of them that twice the traffic takes back, and how many it adds.</summary>
    public required (int Count, IReadOnlyList<string> Vanished, int Added) DefaultDenies { get; init; }

    /// <summary>Objects whose bytes changed with twice the traffic.</summary>
    public required int Changed { get; init; }

    public required bool SameBytesShuffled { get; init; }

    /// <summary>Policies that do not pick exactly their workload, when training ends or after the roll-out.</summary>
    public required IReadOnlyList<string> InexactSelectors { get; init; }

    /// <summary>Rules that can go without denying any evidence.</summary>
    public required IReadOnlyList<string> Removable { get; init; }

    public required int Misattributed { get; init; }

    /// <summary>How far the edges' connections are from those that were reported, where a store put reports together.</summary>
    public required long Miscounted { get; init; }

    /// <summary>Nodes' addresses that a rule lets in though only pods need the port: whoever hides behind a masquerade comes with them.</summary>
    public required IReadOnlyList<string> NodesLetIn { get; init; }

    /// <summary>Rules that rest on a workload which was gone when training ended.</summary>
    public required int Stale { get; init; }

    /// <summary>Rules without evidence.</summary>
    public required int Unexplained { get; init; }

    /// <summary>Connections on which the engine and the plain judge disagree.</summary>
    public required int Disagreements { get; init; }

    public required int StableSegments { get; init; }

    /// <summary>False denies above the floor.</summary>
    public double FdConnections => (double)DeniedConnectionsSeen / Math.Max(1, Connections);

    public double FdConnectionsFloor => (double)FloorConnections / Math.Max(1, Connections);

    public double FdEdges => (double)DeniedSeen.Count / Math.Max(1, Edges);

    public double FdEdgesFloor => (double)FloorEdges / Math.Max(1, Edges);

    public double OverPermission => (double)AllowedUntrue.Count / Math.Max(1, Untrue);

    public double RulesPerEdge => (double)Rules / Math.Max(1, TrueEdges);
}
