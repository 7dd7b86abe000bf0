using System.Globalization;
using Flows.Capture.Rights;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>What this process may learn of socket owners here and now: in this network namespace, with these capabilities and these mounts.</summary>
public sealed record OwnerProbe
{
    // Links below /proc/PID/fd need the one, listing that directory of another user's process the other (proc_pid_fd(5), tried).
    private const Capabilities ToTrace = Capabilities.SysPtrace | Capabilities.DacReadSearch;

    // The fixed inode of the first pid namespace (PROC_PID_INIT_INO, linux/proc_ns.h).
    private const string FirstPidNamespace = "pid:[4026531836]";

    /// <summary>Error numbers of the kernel's answers about TCP and UDP sockets; 0 where they can be listed.</summary>
    internal int TcpError { get; init; }

    internal int UdpError { get; init; }

    /// <summary>The kernel tells the cgroup of a socket.</summary>
    internal bool TellsCgroup { get; init; }

    internal CgroupLayout Layout { get; init; }

    internal string CgroupMount { get; init; } = "";

    internal bool ShowsCgroupRoot { get; init; }

    internal bool MayTrace { get; init; }

    internal bool SeesAllProcesses { get; init; }

    /// <summary>User and inode of sockets can be had: TCP at least.</summary>
    public bool CanAsk => TcpError == 0;

    /// <summary>Every cgroup id can become a path.</summary>
    public bool CanName => CanAsk && TellsCgroup && ShowsCgroupRoot;

    /// <summary>Process and executable of a socket can be had.</summary>
    public bool CanSeeProcesses => MayTrace && SeesAllProcesses;

    /// <summary>Tries what there is. Takes some system calls and opens no connection.</summary>
    public static OwnerProbe Read()
    {
        var mounts = CgroupMounts.Read();
        var capabilities = ProcFiles.EffectiveCapabilities();
        var probe = new OwnerProbe
        {
            TcpError = int.MaxValue,
            UdpError = int.MaxValue,
            Layout = mounts.Layout,
            CgroupMount = mounts.Unified,
            ShowsCgroupRoot = mounts.ShowsRoot,
            MayTrace = ((Capabilities)capabilities & ToTrace) == ToTrace,
            SeesAllProcesses = ProcFiles.LinkOf("/proc/self/ns/pid") == FirstPidNamespace,
        };
        using var table = SocketTable.TryOpen();
        if (table is null)
        {
            return probe;
        }

        // An absent handler says so at the end of an empty dump. One socket of our own makes sure that there is one to show.
        using var own = new System.Net.Sockets.UdpClient(0);
        var tellsCgroup = false;
        table.Dump(SockDiag.Inet, IpProtocol.Tcp, _ => { });
        var tcpError = table.DumpError;
        table.Dump(SockDiag.Inet, IpProtocol.Udp, socket => tellsCgroup |= socket.CgroupId != 0);
        var udpError = table.DumpError;
        return probe with { TcpError = tcpError, UdpError = udpError, TellsCgroup = tellsCgroup };
    }

    /// <summary>The same as facts: the source <c>owners</c> with the aspects <c>sockets</c>, <c>processes</c> and <c>namespaces</c>.</summary>
    /// <param name="processes">Processes are asked for (<c>--owner-processes</c>).</param>
    /// <param name="atUs">Since when, µs since the Unix epoch.</param>
    public IReadOnlyList<CoverageFact> Coverage(bool processes, long atUs)
    {
        var (sockets, why) = Sockets();
        var (seen, whyNot) = Processes(processes);
        return
        [
            new("owners", "sockets", sockets, why, atUs),
            new("owners", "processes", seen, whyNot, atUs),
            new("owners", "namespaces", CoverageLevel.None,
                "Sockets in other network namespaces, such as those of pods that do not use the host's, are not looked up; the inventory names their addresses.", atUs),
        ];
    }

    private (CoverageLevel Level, string Detail) Sockets()
    {
        if (!CanAsk)
        {
            return (CoverageLevel.None, $"No socket has an owner: the kernel lists no TCP sockets ({Text(TcpError)}); load the module tcp_diag.");
        }

        if (UdpError != 0)
        {
            return (CoverageLevel.Partial, $"UDP sockets have no owner: the kernel does not list them ({Text(UdpError)}); load the module udp_diag.");
        }

        return (TellsCgroup, Layout) switch
        {
            (false, _) => (CoverageLevel.Partial, "Sockets have a user but no cgroup: this kernel does not tell it (before 5.9, or without CONFIG_SOCK_CGROUP_DATA)."),
            (_, CgroupLayout.None or CgroupLayout.V1) => (CoverageLevel.Partial,
                "Sockets have a user but no unit, container or pod: the kernel knows them by cgroup version 2, which is not mounted here; mount it, or use --owner-processes."),
            _ when !ShowsCgroupRoot => (CoverageLevel.Partial,
                $"Only cgroups below this process's own have a name: {CgroupMount} is not the root; mount the host's /sys/fs/cgroup into this container, read only."),
            (_, CgroupLayout.Hybrid) => (CoverageLevel.Partial,
                "Versions 1 and 2 of cgroups are mounted and sockets know version 2 only: a container that exists in version 1 alone shows as the unit that started it, "
                + "or as its user; use --owner-processes, or boot with systemd.unified_cgroup_hierarchy=1."),
            _ => (CoverageLevel.Full, ""),
        };
    }

    private (CoverageLevel Level, string Detail) Processes(bool asked)
    {
        if (!asked)
        {
            return (CoverageLevel.None, "Process and executable are not looked up; start with --owner-processes (needs CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and the node's pid namespace).");
        }

        return (MayTrace, SeesAllProcesses) switch
        {
            (true, true) => (CoverageLevel.Full, ""),
            (false, _) => (CoverageLevel.Partial, "Only processes of this user can be seen: CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing; add both to the unit or the container."),
            _ => (CoverageLevel.Partial, "Only processes of this container can be seen: it has its own pid namespace; run it with hostPID."),
        };
    }

    private static string Text(int errno) => errno == int.MaxValue ? "no sock_diag" : string.Create(CultureInfo.InvariantCulture, $"{SocketTable.Describe(errno)}, errno {errno}");
}
