namespace Flows.Capture.Conntrack;

/// <summary>How the kernel's connection tracking is followed.</summary>
public sealed record ConntrackSourceOptions
{
    /// <summary>How often all entries are dumped, which gives long connections their rows. Default 60 s.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Connections remembered at once, 216 bytes each. Default 262,144, the kernel's own default limit.</summary>
    public int EntriesMax { get; init; } = 262_144;

    /// <summary>
    /// Kernel memory for events that wait for us. An event costs about 1.3 KB of it, so the default of 64 MiB bridges 50,000 events. Without
    /// CAP_NET_ADMIN in the first user namespace the kernel grants net.core.rmem_max at most, and coverage says so.
    /// </summary>
    public int ReceiveBufferBytes { get; init; } = 64 << 20;

    /// <summary>Keep nf_conntrack_acct, _events and _timestamp at 1 in this network namespace. Default false: only say that they are not.</summary>
    public bool ManageSysctl { get; init; }

    /// <summary>
    /// A further network namespace to follow: a path such as <c>/proc/1234/ns/net</c>, or a name below <c>/run/netns</c>; needs CAP_SYS_ADMIN. Default null:
    /// that of the thread that starts the source.
    /// </summary>
    public string? Namespace { get; init; }

    /// <summary>How often the kernel's settings and counts are looked at. Default 5 s.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the source remembers over restarts which beginnings are reported. Default null: it does not.</summary>
    public string? MemoryFile { get; init; }

    /// <summary>
    /// Take events as they come, instead of letting them gather for 10 ms, while this costs the thread less than a twentieth of a core: whoever is told of new
    /// connections asks for their sockets, and these may live a millisecond. Default false.
    /// </summary>
    public bool Prompt { get; init; }

    /// <summary>Which event groups are heard. All, unless a measurement wants the same groups for both sides.</summary>
    internal uint Groups { get; init; } = CtMsg.GroupsAll;
}
