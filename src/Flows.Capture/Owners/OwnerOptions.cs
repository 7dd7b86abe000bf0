namespace Flows.Capture.Owners;

/// <summary>How socket owners are looked up.</summary>
public sealed record OwnerOptions
{
    /// <summary>Also name the process and its executable, by /proc. Needs CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and the node's pid namespace.</summary>
    public bool Processes { get; init; }

    /// <summary>Share of one core that look-ups may use in the long run. A tenth: a flood of new connections costs no more.</summary>
    public double CpuShare { get; init; } = 0.1;

    /// <summary>Processor time that may be used at once after a quiet time. 250 ms are some 50,000 look-ups.</summary>
    public TimeSpan CpuBurst { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Connections that may wait for their look-up. 4,096 are a burst of 40 ms at 100,000 a second; 1 MB.</summary>
    public int QueueMax { get; init; } = 4096;

    /// <summary>How long a listener's owner is taken for granted. A service that restarts keeps its owner; another one that takes the port gets it after this.</summary>
    public TimeSpan ListenerAge { get; init; } = TimeSpan.FromSeconds(1);
}
