using System.Globalization;

namespace Flows.Capture.Doctor.Checks;

/// <summary>IPVS keeps a table of its own and leaves conntrack out, unless told otherwise.</summary>
internal sealed class IpvsCheck() : Check("ipvs", "dataplane")
{
    public override Finding Look(NodeView node)
    {
        // After three lines of headings, virtual services begin at the margin and their servers with an arrow.
        var services = node.Files.Lines("proc/self/net/ip_vs").Skip(3).Count(line => line.Length > 0 && !line.StartsWith(' '));
        if (services == 0)
        {
            return Ok("no IPVS services here");
        }

        var found = $"IPVS balances {services.ToString("N0", CultureInfo.InvariantCulture)} virtual services";
        return node.Files.Number("proc/sys/net/ipv4/vs/conntrack") switch
        {
            1 => Ok($"{found}, with conntrack"),
            null => Unknown($"{found}; net.ipv4.vs.conntrack cannot be read"),
            _ => Warn($"{found}, without conntrack", "not seen: connections through them, as they have no entry, nor who answered", Wording.Sysctl("net.ipv4.vs.conntrack", 1)),
        };
    }
}
