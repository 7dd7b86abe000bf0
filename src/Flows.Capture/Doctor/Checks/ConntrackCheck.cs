using Flows.Capture.Doctor.Asks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Whether this kernel has connection tracking and lets it be read (nf_conntrack, nf_conntrack_netlink).</summary>
internal sealed class ConntrackCheck() : Check("conntrack", "conntrack")
{
    /// <summary>There where, and only where, nf_conntrack is in the kernel.</summary>
    public const string Setting = "proc/sys/net/netfilter/nf_conntrack_max";

    private const string Hides = "not seen: every connection that the kernel tracks";
    private const string Load = "modprobe nf_conntrack_netlink";

    public override Finding Look(NodeView node)
    {
        if (!node.Files.Exists(Setting))
        {
            return node.Files.Exists("proc/sys/kernel/osrelease")
                ? Fail("nf_conntrack is not in the kernel, or its module is not loaded", Hides, Load)
                : Unknown("/proc cannot be read");
        }

        if (!MayAsk(node.Files))
        {
            return Warn("nf_conntrack is there, the module nf_conntrack_netlink is not loaded", $"{Hides}, unless the kernel may load it when the collector asks", Load);
        }

        if (!node.Has(Capabilities.NetAdmin))
        {
            return Unknown("nf_conntrack is there; whether it can be read cannot be tried without CAP_NET_ADMIN");
        }

        var answer = node.Netlink(NetlinkQuestion.Netfilter, NetlinkQuestion.OfConntrackStats());
        return answer.Answered
            ? Ok(node.Files.Exists("sys/module/nf_conntrack_netlink") ? "nf_conntrack and nf_conntrack_netlink are loaded and answer" : "built into the kernel and answering")
            : Fail($"nf_conntrack is there, but does not answer: {answer.Why}", Hides, Load);
    }

    /// <summary>A question makes the kernel load a missing module, and a check changes nothing: so look whether it is missing first.</summary>
    private static bool MayAsk(NodeFiles files)
    {
        if (!files.Exists("proc/modules") || files.Exists("sys/module/nf_conntrack_netlink"))
        {
            return true;
        }

        var builtIn = files.Lines($"lib/modules/{files.Text("proc/sys/kernel/osrelease")}/modules.builtin");
        return builtIn.Any(line => line.EndsWith("/nf_conntrack_netlink.ko", StringComparison.Ordinal));
    }
}
