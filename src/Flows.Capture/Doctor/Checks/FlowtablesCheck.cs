using Flows.Capture.Doctor.Asks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Flowtables forward established connections past the rules, and past what counts their packets.</summary>
internal sealed class FlowtablesCheck() : Check("flowtables", "dataplane")
{
    private const uint Hardware = 1;
    private const uint Counter = 2;

    public override Finding Look(NodeView node)
    {
        if (!node.Has(Capabilities.NetAdmin))
        {
            return Unknown("flowtables cannot be listed without CAP_NET_ADMIN");
        }

        var answer = node.Netlink(NetlinkQuestion.Netfilter, NetlinkQuestion.OfNft(NetlinkQuestion.NftFlowtables));
        if (!answer.Answered)
        {
            return Unknown($"flowtables cannot be listed: {answer.Why}");
        }

        var tables = answer.Parts.Select(part => NetfilterNames.Flowtable(part.Payload)).Where(table => table.Name.Length > 0).ToList();
        var silent = tables.Where(table => (table.Flags & Counter) == 0).Select(Named).ToList();
        var hardware = tables.Where(table => (table.Flags & Hardware) != 0).Select(Named).ToList();
        return silent.Count > 0
                ? Warn(
                    $"{Wording.Count(silent.Count, "flowtable", "flowtables")} without 'counter': {Wording.List(silent)}",
                    "not seen: packets and bytes of offloaded connections, whose counters stand still",
                    "add 'counter;' to the flowtable in the nftables file, then: nft -f FILE")
            : hardware.Count > 0
                ? Warn(
                    $"offloaded to the NIC: {Wording.List(hardware)}",
                    "not seen: packets of offloaded connections on the interfaces; conntrack still counts them",
                    "remove 'flags offload;' from the flowtable, then: nft -f FILE")
            : Ok(tables.Count == 0 ? "no flowtables here" : $"{Wording.Count(tables.Count, "flowtable counts", "flowtables count")} what passes");

        static string Named((string Table, string Name, uint Flags) table) => $"{table.Table} {table.Name}";
    }
}
