namespace Flows.SystemTests.Traps;

/// <summary>
/// What kube-proxy, network policies and masquerades do in the lab, as rules of nft(8). Each trap has the hundred ports from 10000 + 100 × its number on for whoever answers,
/// so that every connection in the store belongs to one trap, whatever names it was given.
/// </summary>
internal static class TrapRules
{
    /// <summary>Both nodes of the routed cluster.</summary>
    public const string OfNode = """
        table inet services {
          chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            ip daddr 10.96.1.1 tcp dport 10180 dnat ip to 10.10.2.11:10108
            ip daddr 10.96.1.14 tcp dport 11480 dnat ip to numgen inc mod 2 map { 0 : 10.10.2.141 . 11400, 1 : 10.10.2.142 . 11401 }
            ip daddr 10.96.1.15 tcp dport 11580 dnat ip to 203.0.113.15:11501
            ip daddr 10.96.1.18 tcp dport 11880 meta mark set 0x4000 dnat ip to 10.10.1.180:11800
            ip daddr { 192.168.100.1, 192.168.100.2 } tcp dport 30900 meta mark set 0x4000 dnat ip to 10.10.1.90:10900
            ip daddr 192.168.100.1 tcp dport 30901 dnat ip to 10.10.1.91:10901
            ip daddr 198.51.100.9 tcp dport 10980 dnat ip to 10.10.1.92:10902
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            meta mark 0x4000 masquerade
            ip saddr 192.168.50.10 ip daddr 10.10.0.0/16 tcp dport 12200 masquerade
          }
          chain forward {
            type filter hook forward priority filter; policy accept;
            ip daddr 10.10.2.240 tcp dport 12402 iifname "up0" reject with tcp reset
            ip daddr 10.10.2.240 tcp dport 12403 iifname "up0" reject with icmp admin-prohibited
            ct state established,related accept
          }
        }

        """;

    /// <summary>A router without a collector that hides those behind it.</summary>
    public const string OfGate = """
        table ip hide {
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr 192.168.60.0/24 snat to 192.168.102.9
          }
        }

        """;

    /// <summary>A policy that drops, in the pod itself.</summary>
    public const string OfSilentPod = """
        table inet shield {
          chain input {
            type filter hook input priority filter; policy accept;
            tcp dport 12401 drop
          }
        }

        """;
}
