namespace Flows.Benchmarks.Traffic;

/// <summary>Which traffic to make. The same plan makes the same bytes.</summary>
internal sealed record TrafficPlan
{
    /// <summary>The file's name in the cache.</summary>
    public required string Name { get; init; }

    /// <summary>How many packets the file has, give or take the end of the last connections.</summary>
    public required long Packets { get; init; }

    /// <summary>Bytes kept of each frame.</summary>
    public int Snaplen { get; init; } = 65535;

    /// <summary>A fifth of the connections in a VLAN, a fifth in VXLAN; else all plain.</summary>
    public bool Encapsulated { get; init; }

    /// <summary>Share of TCP connections that take a closed one's 5-tuple, a second or more after it.</summary>
    public double Reuse { get; init; }

    /// <summary>Share of connections over IPv6.</summary>
    public double SixShare { get; init; } = 0.2;

    public int Seed { get; init; } = 1;
}

/// <summary>How a connection's frames are wrapped.</summary>
internal enum Wrap
{
    Plain,
    Vlan,
    Vxlan,
}

/// <summary>What the two ends of a connection do.</summary>
internal enum Kind
{
    Tcp,
    TcpReset,
    Long,
    Dns,
    Udp,
    Refused,
    Unanswered,
}

/// <summary>One connection of the traffic while it is being made.</summary>
internal sealed class Talk
{
    public required int Client { get; init; }

    public required int Server { get; init; }

    public required ushort ClientPort { get; init; }

    public required ushort ServerPort { get; init; }

    public required bool IsSix { get; init; }

    public required Kind Kind { get; init; }

    public Wrap Wrap { get; init; }

    public bool IsUdp => Kind is Kind.Dns or Kind.Udp;

    /// <summary>Sequence numbers that client and server send next.</summary>
    public uint ClientSequence { get; set; }

    public uint ServerSequence { get; set; }

    public long EndUs { get; set; }
}

/// <summary>One packet that waits for its time.</summary>
internal readonly record struct PlannedPacket(Talk Talk, long TimeUs, bool Forward, int Payload, byte Flags, uint Sequence, uint Acknowledged);
