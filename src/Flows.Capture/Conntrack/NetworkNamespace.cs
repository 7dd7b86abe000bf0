using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Capture.Conntrack;

/// <summary>The network namespace of the calling thread.</summary>
internal static class NetworkNamespace
{
    private const string Named = "/run/netns";

    /// <summary>Names this boot and network namespace: in both, conntrack's ids repeat.</summary>
    public static (string Boot, string Space) Current()
    {
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        var space = new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "";
        return (boot, space);
    }

    /// <summary>Moves the calling thread, which must not be one of a pool, into a namespace for good.</summary>
    /// <param name="name">A path such as <c>/proc/1234/ns/net</c>, or a name below <c>/run/netns</c>.</param>
    /// <exception cref="FlowsException">There is none, or CAP_SYS_ADMIN is missing.</exception>
    public static void Enter(string name)
    {
        var path = name.Contains('/') ? name : Path.Combine(Named, name);
        try
        {
            using var file = File.OpenHandle(path);
            if (NetlinkNative.SetNamespace((int)file.DangerousGetHandle(), NetlinkNative.CloneNewNet) == 0)
            {
                return;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            var how = fault is UnauthorizedAccessException ? "it needs CAP_SYS_PTRACE for another process, or root" : "give a path such as /proc/PID/ns/net, or a name that 'ip netns' lists";
            throw new FlowsException(ExitCode.Failed, $"Cannot open the network namespace '{path}': {how}.");
        }

        var errno = Marshal.GetLastPInvokeError();
        throw new FlowsException(ExitCode.Failed, errno switch
        {
            NetlinkNative.Eperm => $"Cannot enter the network namespace '{path}': it needs CAP_SYS_ADMIN; run as root or grant the capability.",
            NetlinkNative.Einval => $"Cannot enter '{path}': it is no network namespace.",
            _ => $"Cannot enter the network namespace '{path}' (errno {errno}).",
        });
    }
}
