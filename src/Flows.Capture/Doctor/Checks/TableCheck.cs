namespace Flows.Capture.Doctor.Checks;

/// <summary>Room in the table: when it is full, the kernel drops the first packet of new connections, and nobody sees them.</summary>
internal sealed class TableCheck() : Check("conntrack_table", "conntrack")
{
    private const int WarnPercent = 75;
    private const int FailPercent = 95;

    public override Finding Look(NodeView node)
    {
        if (node.Files.Number("proc/sys/net/netfilter/nf_conntrack_count") is not { } count || node.Files.Number(ConntrackCheck.Setting) is not { } max)
        {
            return Unknown("the size of the table cannot be read here");
        }

        // 0 stands for no limit.
        var percent = max == 0 ? 0 : count * 100 / max;
        var found = max == 0 ? $"{count:N0} entries, no limit" : $"{count:N0} of {max:N0} entries ({percent} %)";
        const string Hides = "not seen: connections that find the table full: the kernel drops their first packet";
        var mend = Wording.Sysctl("net.netfilter.nf_conntrack_max", Math.Max(max, 1) * 2);
        return percent >= FailPercent ? Fail(found, Hides, mend) : percent >= WarnPercent ? Warn(found, Hides, mend) : Ok(found);
    }
}
