using Flows.Capture.Doctor.Asks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>
/// Whether connection tracking works in this very network namespace: it follows nothing until a rule asks for it. Entries prove it; where there are
/// none, the registered hooks tell, else the rules, else packets that pass and leave no entry.
/// </summary>
internal sealed class ConntrackActiveCheck() : Check("conntrack_active", "conntrack")
{
    // As many packets pass for neighbour discovery and the like in a quiet namespace.
    private const long PacketsMin = 100;

    private const string Hides = "not seen: all connections of this network namespace, until a rule here asks for connection tracking";

    // A chain that is not hooked anywhere costs no packet anything, and its rule is enough.
    private const string Mend = "nft 'add table inet flows; add chain inet flows track; add rule inet flows track ct state new'";

    public override Finding Look(NodeView node)
    {
        if (!node.Files.Exists(ConntrackCheck.Setting))
        {
            return Unknown("there is no connection tracking to look at");
        }

        if (node.Files.Number("proc/sys/net/netfilter/nf_conntrack_count") is > 0 and var count)
        {
            return Ok($"{Wording.Count(count, "connection is", "connections are")} tracked in this network namespace");
        }

        return OfHooks(node) ?? OfRules(node) ?? OfPackets(node);
    }

    private Finding? OfHooks(NodeView node)
    {
        if (!node.Has(Capabilities.NetAdmin))
        {
            return null;
        }

        var answer = node.Netlink(NetlinkQuestion.Netfilter, NetlinkQuestion.OfHooks());
        return !answer.Answered || !answer.Complete ? null
            : answer.Parts.Any(part => NetfilterNames.IsConntrackHook(part.Payload)) ? Ok("its hooks are registered in this network namespace; no connection just now")
            : Fail("no hook of it is registered in this network namespace", Hides, Mend);
    }

    private Finding? OfRules(NodeView node)
    {
        if (node.Files.Lines("proc/self/net/ip_tables_names").Concat(node.Files.Lines("proc/self/net/ip6_tables_names")).Contains("nat"))
        {
            return Ok("the nat table of iptables is loaded in this network namespace; no connection just now");
        }

        if (!node.Has(Capabilities.NetAdmin))
        {
            return null;
        }

        var answer = node.Netlink(NetlinkQuestion.Netfilter, NetlinkQuestion.OfNft(NetlinkQuestion.NftRules));
        return !answer.Answered ? null
            : answer.Parts.Any(part => NetfilterNames.UsesConntrack(part.Payload)) ? Ok("a rule of this network namespace asks for it; no connection just now")
            : !answer.Complete ? null
            : node.Files.Lines("proc/self/net/ip_tables_names").Any(name => name.Length > 0) ? null
            : Fail("no rule of this network namespace asks for it, and it follows nothing", Hides, Mend);
    }

    private Finding OfPackets(NodeView node)
    {
        var packets = node.Interfaces.Where(one => one.Name != "lo").Sum(one => one.RxPackets + one.TxPackets);
        return packets >= PacketsMin
            ? Fail($"{packets:N0} packets have passed and not one connection is tracked", Hides, Mend)
            : Unknown("no connection is tracked, and too little has passed to tell why; with CAP_NET_ADMIN the rules could be read", Hides, Mend);
    }
}
