namespace Flows.Capture.Doctor.Checks;

/// <summary>With tcp_loose the kernel makes an entry from the middle of a connection, and takes whoever spoke first for the one that dialled.</summary>
internal sealed class LooseCheck() : Check("tcp_loose", "conntrack")
{
    private const string Name = "net.netfilter.nf_conntrack_tcp_loose";

    public override Finding Look(NodeView node) => node.Files.Number("proc/sys/net/netfilter/nf_conntrack_tcp_loose") switch
    {
        null => Unknown($"{Name} cannot be read here"),
        0 => Ok($"{Name} is off: every entry began with a SYN"),
        _ => Ok($"{Name} is on, as the kernel has it", "not seen: who dialled connections that the kernel picked up in their middle; policy does not use their direction"),
    };
}
