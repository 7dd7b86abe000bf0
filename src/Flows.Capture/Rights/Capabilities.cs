namespace Flows.Capture.Rights;

/// <summary>Sets of Linux capabilities, one bit each (linux/capability.h); named are those that Flows has a use for.</summary>
[Flags]
public enum Capabilities : ulong
{
    None = 0,

    /// <summary>CAP_DAC_READ_SEARCH: list the descriptors of another user's process, which CAP_SYS_PTRACE alone does not allow.</summary>
    DacReadSearch = 1UL << 2,

    /// <summary>CAP_SETPCAP: take capabilities out of the bounding set.</summary>
    SetPcap = 1UL << 8,

    /// <summary>CAP_NET_BIND_SERVICE: listen on ports below 1024.</summary>
    NetBindService = 1UL << 10,

    /// <summary>CAP_NET_ADMIN: conntrack events and dumps, large receive buffers, network sysctls.</summary>
    NetAdmin = 1UL << 12,

    /// <summary>CAP_NET_RAW: packet sockets.</summary>
    NetRaw = 1UL << 13,

    /// <summary>CAP_SYS_PTRACE: which process holds a socket, where that is another user's.</summary>
    SysPtrace = 1UL << 19,

    /// <summary>CAP_SYS_ADMIN: enter other network namespaces.</summary>
    SysAdmin = 1UL << 21,
}
