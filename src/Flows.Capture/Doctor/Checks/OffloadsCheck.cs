namespace Flows.Capture.Doctor.Checks;

/// <summary>What NICs do with packets before a capture sees them (GRO, LRO, segmentation, VLAN tags) or instead of it (hw-tc-offload).</summary>
internal sealed class OffloadsCheck() : Check("nic_offloads", "interfaces")
{
    private static readonly (string Feature, string Name)[] Merging =
        [("rx-gro", "GRO"), ("rx-gro-hw", "GRO in hardware"), ("tx-generic-segmentation", "GSO"), ("tx-tcp-segmentation", "TSO")];

    public override Finding Look(NodeView node)
    {
        var on = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var asked = 0;
        foreach (var one in node.ChosenInterfaces)
        {
            if (node.Offloads(one.Name) is { } features)
            {
                asked++;
                foreach (var feature in features)
                {
                    (on.TryGetValue(feature, out var names) ? names : on[feature] = []).Add(one.Name);
                }
            }
        }

        if (asked == 0)
        {
            return Unknown("no interface tells its offloads");
        }

        if (on.TryGetValue("hw-tc-offload", out var hardware))
        {
            return Warn(
                $"hw-tc-offload on {Wording.List(hardware)}",
                "not seen: connections that tc or Open vSwitch hands to the NIC, as they pass neither conntrack nor a capture",
                $"ethtool -K {hardware[0]} hw-tc-offload off");
        }

        if (on.TryGetValue("rx-lro", out var large))
        {
            return Warn(
                $"LRO on {Wording.List(large)}",
                "not seen: packets as they came; a node that forwards must not merge them",
                $"ethtool -K {large[0]} lro off");
        }

        var merging = Merging.Where(pair => on.ContainsKey(pair.Feature)).Select(pair => pair.Name).ToList();
        var tags = on.ContainsKey("rx-vlan-hw-parse") ? "; VLAN tags come beside the frame, and libpcap puts them back" : "";
        return merging.Count == 0
            ? Ok($"none that change packets{tags}")
            : Ok($"{string.Join(", ", merging)}{tags}", "a capture counts merged packets: packet counts are lower than on the wire, bytes are right");
    }
}
