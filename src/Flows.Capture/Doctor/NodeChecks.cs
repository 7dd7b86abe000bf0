using Flows.Capture.Doctor.Checks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor;

/// <summary>Every check of a node, in the order in which they are shown.</summary>
public static class NodeChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new RightsCheck(),
        new CapabilityCheck("cap_net_admin", Capabilities.NetAdmin, "conntrack can be followed", "not seen: every connection that the kernel tracks, with its NAT and its counters"),
        new CapabilityCheck("cap_net_raw", Capabilities.NetRaw, "packets can be captured", "not seen: packets of any interface, and with them what conntrack cannot see"),
        new UserNamespaceCheck(),
        new KernelCheck(),
        new LibpcapCheck(),
        new ClockCheck(),
        new ConntrackCheck(),
        new ConntrackActiveCheck(),
        new AccountingCheck(),
        new EventsCheck(),
        new TimestampsCheck(),
        new TableCheck(),
        new TableLossesCheck(),
        new ReceiveBufferCheck(),
        new LooseCheck(),
        new SocketBalancingCheck(),
        new KubeProxyCheck(),
        new IpvsCheck(),
        new FlowtablesCheck(),
        new InterfaceDropsCheck(),
        new OffloadsCheck(),
        new SocketOwnersCheck(),
        new CgroupsCheck(),
        new ProcessDetailsCheck(),
        new OtherNamespacesCheck(),
    ];
}
