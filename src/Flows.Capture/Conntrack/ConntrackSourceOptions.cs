namespace Flows.Capture.Conntrack;

/// <summary>How the kernel's connection tracking is followed.</summary>
public sealed record ConntrackSourceOptions
{
    /// <summary>How often all entries are dumped, which gives long connections their rows. Default 60 s.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Connections remembered at once, about 230 bytes each. Default 262,144, the kernel's own default limit.</summary>
    public int EntriesMax { get; init; } = 262_144;

    /// <summary>
    /// Kernel memory for events that wait for us. An event costs about 1.3 KB of it, so the default of 64 MiB bridges 50,000 events. Without
    /// CAP_NET_ADMIN in the first user namespace the kernel grants net.core.rmem_max at most.
    /// </summary>
    public int ReceiveBufferBytes { get; init; } = 64 << 20;

    /// <summary>Set nf_conntrack_acct, _events and _timestamp to 1 in this network namespace at the start. Default false: only warn.</summary>
    public bool ManageSysctl { get; init; }

    /// <summary>Which event groups are heard. All, unless a measurement wants the same groups for both sides.</summary>
    internal uint Groups { get; init; } = CtMsg.GroupsAll;
}
