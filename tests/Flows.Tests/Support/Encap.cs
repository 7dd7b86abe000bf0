namespace Flows.Tests.Support;

/// <summary>How a generated capture's packets travel.</summary>
public enum Encap
{
    Plain,
    Vlan,
    QinQ,
    Vxlan,
    VxlanLinuxPort,

    /// <summary>VXLAN between IPv6 nodes, with a VLAN tag in the inner frame.</summary>
    Vxlan6Vlan,
    Geneve,
    Gre,
    GreBridging,
    IpInIp,
    IpInIp6,

    /// <summary>VXLAN within GRE: two levels.</summary>
    VxlanInGre,

    /// <summary>Each packet another of the above.</summary>
    Mix,
}

/// <summary>Wraps IP packets into Ethernet frames, by way of a tunnel and its fragments where asked for.</summary>
internal static class Encaps
{
    /// <summary>True where the packet lies within another IP packet.</summary>
    public static bool IsTunnel(this Encap encap) => encap is not (Encap.Plain or Encap.Vlan or Encap.QinQ);

    /// <summary>What <see cref="Encap.Mix"/> is for the packet of that number.</summary>
    public static Encap For(this Encap encap, int number) => encap == Encap.Mix ? (Encap)(number % (int)Encap.Mix) : encap;

    /// <summary>The outermost IP packet.</summary>
    public static byte[] Outermost(byte[] ip, Encap encap) => encap switch
    {
        Encap.Vxlan => Tunnels.Vxlan(Frames.Ethernet(ip)),
        Encap.VxlanLinuxPort => Tunnels.Vxlan(Frames.Ethernet(ip), port: 8472),
        Encap.Vxlan6Vlan => Tunnels.Vxlan(Frames.Ethernet(ip, 0x8100), six: true),
        Encap.Geneve => Tunnels.Geneve(Frames.Ethernet(ip), Tunnels.Bridging, optionWords: 3),
        Encap.Gre => Tunnels.Gre(ip, Tunnels.TypeOf(ip), flags: 0xB000),
        Encap.GreBridging => Tunnels.Gre(Frames.Ethernet(ip), Tunnels.Bridging, flags: 0x2000),
        Encap.IpInIp => Tunnels.IpInIp(ip),
        Encap.IpInIp6 => Tunnels.IpInIp(ip, six: true),
        Encap.VxlanInGre => Tunnels.Gre(Tunnels.Vxlan(Frames.Ethernet(ip)), Tunnels.Ipv4),
        _ => ip,
    };

    public static byte[] Frame(byte[] ip, Encap encap) => encap switch
    {
        Encap.Vlan => Frames.Ethernet(ip, 0x8100),
        Encap.QinQ => Frames.Ethernet(ip, 0x88A8, 0x8100),
        _ => Frames.Ethernet(ip),
    };
}
