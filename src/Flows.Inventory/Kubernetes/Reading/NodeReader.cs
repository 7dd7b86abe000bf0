using System.Text.Json;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads v1/Node, with the addresses that network plugins note down in annotations.</summary>
internal static class NodeReader
{
    /// <summary>Flannel's way of reaching other nodes; its presence says that the node's pod ranges are Flannel's.</summary>
    public const string FlannelBackend = "flannel.alpha.coreos.com/backend-type";

    /// <summary>Annotations that hold one address, several separated by commas, or one with the length of its prefix.</summary>
    public static IReadOnlyList<string> AddressAnnotations { get; } =
    [
        "flannel.alpha.coreos.com/public-ip",
        "flannel.alpha.coreos.com/public-ipv6",
        "projectcalico.org/IPv4Address",
        "projectcalico.org/IPv6Address",
        "projectcalico.org/IPv4IPIPTunnelAddr",
        "projectcalico.org/IPv4VXLANTunnelAddr",
        "projectcalico.org/IPv6VXLANTunnelAddr",
        "projectcalico.org/IPv4WireguardInterfaceAddr",
        "projectcalico.org/IPv6WireguardInterfaceAddr",
        "network.cilium.io/ipv4-cilium-host",
        "network.cilium.io/ipv6-cilium-host",
        "io.cilium.network.ipv4-cilium-host",
        "io.cilium.network.ipv6-cilium-host",
        "node.antrea.io/transport-addresses",
    ];

    public static KubeObject Read(ReadOnlySpan<byte> utf8, TextPool pool)
    {
        var json = new Utf8JsonReader(utf8);
        ObjectMeta? meta = null;
        var addresses = new List<NetAddress>();
        var ranges = new List<string>();
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                meta = MetaReader.Read(ref json, pool);
            }
            else if (json.ValueTextEquals("spec"u8))
            {
                PodRanges(ref json, ranges);
            }
            else if (json.ValueTextEquals("status"u8))
            {
                Status(ref json, addresses);
            }
            else
            {
                json.Skip();
            }
        }

        meta = meta ?? throw new FormatException("the object has no metadata");

        // All pods of the node name it too.
        meta.Name = pool.Text(meta.Name);
        FromAnnotations(meta.Annotations, ranges, addresses);
        return new NodeObject(meta) { Addresses = addresses };
    }

    private static void Status(ref Utf8JsonReader json, List<NetAddress> addresses)
    {
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        while (Cursor.Next(ref json))
        {
            if (!json.ValueTextEquals("addresses"u8) || !Cursor.EnterArray(ref json))
            {
                json.Skip();
                continue;
            }

            while (Cursor.NextObject(ref json))
            {
                var (type, address) = ("", "");
                while (Cursor.Next(ref json))
                {
                    var isType = json.ValueTextEquals("type"u8);
                    if (isType || json.ValueTextEquals("address"u8))
                    {
                        var text = Cursor.ReadText(ref json);
                        (type, address) = isType ? (text, address) : (type, text);
                    }
                    else
                    {
                        json.Skip();
                    }
                }

                if (type is "InternalIP" or "ExternalIP")
                {
                    AddressList.Add(addresses, address);
                }
            }
        }
    }

    private static void PodRanges(ref Utf8JsonReader json, List<string> ranges)
    {
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("podCIDR"u8))
            {
                ranges.Add(Cursor.ReadText(ref json));
            }
            else if (json.ValueTextEquals("podCIDRs"u8) && Cursor.EnterArray(ref json))
            {
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    ranges.Add(Cursor.Text(ref json));
                }
            }
            else
            {
                json.Skip();
            }
        }
    }

    /// <summary>Annotations belong to others, so what is no address there is passed over: the node itself is still good.</summary>
    private static void FromAnnotations(LabelDictionary annotations, List<string> ranges, List<NetAddress> addresses)
    {
        foreach (var (key, value) in annotations)
        {
            if (key == FlannelBackend)
            {
                continue;
            }

            foreach (var part in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (NetAddress.TryParse(part.Split('/')[0], out var address) && !addresses.Contains(address))
                {
                    addresses.Add(address);
                }
            }
        }

        if (annotations.ContainsKey(FlannelBackend))
        {
            // Flannel gives its tunnel device the range's own address and its bridge the first one after; neither is ever a pod's.
            foreach (var range in ranges)
            {
                if (AddressRange.TryParse(range, out var known) && known.PrefixLength < 127)
                {
                    addresses.AddRange(new[] { known.First, new NetAddress(known.First.High, known.First.Low + 1) }.Where(one => !addresses.Contains(one)));
                }
            }
        }
    }
}
