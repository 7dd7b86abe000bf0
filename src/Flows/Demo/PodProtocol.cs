namespace Flows.Demo;

/// <summary>One line to a pod's standard input, as JSON. Answers carry the same number and may come in another order.</summary>
internal sealed record PodRequest
{
    public int Id { get; init; }

    /// <summary>What to do: see <see cref="Pod"/>.</summary>
    public required string Do { get; init; }

    /// <summary><c>tcp</c> or <c>udp</c>.</summary>
    public string Protocol { get; init; } = "tcp";

    /// <summary>The own address to connect from, so that the local port is known even when the connection fails.</summary>
    public string From { get; init; } = "";

    public string Address { get; init; } = "";

    public int Port { get; init; }

    /// <summary>Payload bytes to send, and to ask for in return.</summary>
    public int Bytes { get; init; }

    /// <summary>How long a connection attempt or an answer may take.</summary>
    public int TimeoutMs { get; init; } = 5000;

    /// <summary>The question of a DNS query, or the program to run.</summary>
    public string Name { get; init; } = "";

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Standard input of the program.</summary>
    public string Input { get; init; } = "";

    /// <summary>Files below /proc/sys and what to write there, in this order.</summary>
    public IReadOnlyList<KernelSetting> Settings { get; init; } = [];
}

/// <summary>A kernel setting of one network namespace, such as <c>net/ipv4/ip_forward</c>.</summary>
internal sealed record KernelSetting(string Path, string Value);

/// <summary>A pod's answer to the request of the same number; <see cref="Error"/> says in a sentence what went wrong.</summary>
internal sealed record PodReply
{
    public int Id { get; init; }

    public string? Error { get; init; }

    public Dialled? Dialled { get; init; }

    public IReadOnlyList<Accepted> Accepted { get; init; } = [];
}

/// <summary>What became of one connection, as the side that opened it knows it. Times are microseconds since the epoch.</summary>
internal sealed record Dialled(
    string Protocol, string Local, int LocalPort, string Remote, int RemotePort, DialOutcome Outcome, long Sent, long Received, long StartUs, long EndUs);

/// <summary>How a connection attempt ended, in the words of an edge's counts.</summary>
internal enum DialOutcome
{
    Answered,
    Refused,
    Unanswered,
}

/// <summary>One connection, or one peer's datagrams, as the side that was dialled knows it.</summary>
internal sealed record Accepted(string Protocol, int Port, string Remote, int RemotePort, long AtUs);
