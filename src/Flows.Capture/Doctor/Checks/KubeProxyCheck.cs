using Flows.Capture.Doctor.Asks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Whether kube-proxy translates services with rules of this namespace: then conntrack knows both the service and the backend.</summary>
internal sealed class KubeProxyCheck() : Check("kube_proxy", "dataplane")
{
    public override Finding Look(NodeView node)
    {
        if (!node.Has(Capabilities.NetAdmin))
        {
            return Unknown("rules cannot be read without CAP_NET_ADMIN");
        }

        var answer = node.Netlink(NetlinkQuestion.Netfilter, NetlinkQuestion.OfNft(NetlinkQuestion.NftChains));
        var chains = answer.Parts.Select(part => NetfilterNames.Chain(part.Payload)).ToList();
        if (chains.Any(chain => chain.Table == "kube-proxy"))
        {
            return Ok("kube-proxy in nftables mode: conntrack shows the service and who answered");
        }

        if (chains.Any(chain => chain.Name.StartsWith("KUBE-SERVICES", StringComparison.Ordinal)))
        {
            return Ok("kube-proxy in iptables mode: conntrack shows the service and who answered");
        }

        return !answer.Answered ? Unknown($"the rules cannot be read: {answer.Why}")
            : !answer.Complete ? Unknown("there are more rules than were read")
            : node.Files.Lines("proc/self/net/ip_tables_names").Contains("nat") ? Unknown("the legacy nat table of iptables is loaded; its rules are not read")
            : Ok("no rules of kube-proxy here");
    }
}
