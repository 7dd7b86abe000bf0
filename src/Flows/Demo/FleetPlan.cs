using Flows.Core.Identity;

namespace Flows.Demo;

/// <summary>One inhabitant of the fleet: a pod, a VM, or somebody outside of every known range.</summary>
/// <param name="Name">As in the inventory.</param>
/// <param name="Kind"><see cref="EntityKind.Unknown"/> for those that no inventory knows.</param>
/// <param name="Node">The node it stands on or behind.</param>
/// <param name="V6">Empty where it has no IPv6.</param>
/// <param name="Listens">Ports it answers on, as <c>tcp/8080</c>.</param>
internal sealed record FleetMember(
    string Name, EntityKind Kind, string Namespace, string WorkloadKind, string Workload, string Node, string V4, string V6, params string[] Listens)
{
    /// <summary>Lives in the node's own namespace and shares its address.</summary>
    public bool HostNetwork { get; init; }

    /// <summary>Drops what comes to its ports below 1024, as a firewall would, instead of refusing it.</summary>
    public bool Silent { get; init; }
}

/// <summary>A machine of the fleet, with an address on the link that joins the nodes.</summary>
internal sealed record FleetNodePlan(string Name, string V4, string V6, string PodsV4, string PodsV6);

/// <summary>A service address: dialled on <paramref name="Port"/>, answered by the workload's pods on <paramref name="TargetPort"/>.</summary>
internal sealed record FleetService(string Name, string Namespace, string Protocol, string Address, int Port, string Workload, int TargetPort)
{
    public string DnsName => $"{Name}.{Namespace}.svc.cluster.local";
}

/// <summary>
/// Who is in the fleet and where. Documentation ranges (RFC 5737) play the world outside; everything exists only inside the
/// fleet's namespaces, so no address can collide with one of this machine.
/// </summary>
internal static class FleetPlan
{
    public const string NodeA = "node-a";
    public const string NodeB = "node-b";

    /// <summary>Deployment pods carry the hash of their template in their name, as in a real cluster.</summary>
    public const string Web1 = "web-6f7c9d8b5-k4x2p", Web2 = "web-6f7c9d8b5-t9m7q", Api1 = "api-58b9f7c6d4-2vxkz", Api2 = "api-58b9f7c6d4-q8wlm";
    public const string Db = "db-0", Cache = "cache-7c5d8f9b6-hj4tn", CoreDns = "coredns-5d78c9869d-w7gzr", Prometheus = "prometheus-0";
    public const string Toolbox = "toolbox-9b6c4d7f8-nn5rz", NodeExporter = "node-exporter-4kq7d", BillingVm = "billing-vm";
    public const string Report = "report-74f6b8d5c9-x6c2s", Audit = "audit-84c5b7f6d9-b3jwv";

    /// <summary>The peer outside; no inventory names it, so its address is its name.</summary>
    public const string Outside = "203.0.113.10";

    public static IReadOnlyList<FleetNodePlan> Nodes { get; } =
    [
        new(NodeA, "192.168.100.1", "fd00:100::1", "10.10.1.0/24", "fd00:10:1::/64"),
        new(NodeB, "192.168.100.2", "fd00:100::2", "10.10.2.0/24", "fd00:10:2::/64"),
    ];

    /// <summary>All that live at the same time; <see cref="Successor"/> comes later.</summary>
    public static IReadOnlyList<FleetMember> Members { get; } =
    [
        Pod(Web1, "shop", "Deployment", "web", NodeA, 11, "tcp/8080"),
        Pod(Web2, "shop", "Deployment", "web", NodeB, 11, "tcp/8080"),
        Pod(Api1, "shop", "Deployment", "api", NodeA, 12, "tcp/8080"),
        Pod(Api2, "shop", "Deployment", "api", NodeB, 12, "tcp/8080"),
        Pod(Toolbox, "shop", "Deployment", "toolbox", NodeA, 40),
        Pod(Db, "data", "StatefulSet", "db", NodeB, 20, "tcp/5432"),
        Pod(Cache, "data", "Deployment", "cache", NodeA, 21, "tcp/6379") with { Silent = true },
        Pod(Report, "data", "Deployment", "report", NodeA, 50),
        Pod(CoreDns, "kube-system", "Deployment", "coredns", NodeA, 2, "udp/53"),
        Pod(Prometheus, "monitoring", "StatefulSet", "prometheus", NodeB, 30, "tcp/9091"),
        new(NodeExporter, EntityKind.Pod, "monitoring", "DaemonSet", "node-exporter", NodeA, "192.168.100.1", "fd00:100::1", "tcp/9100") { HostNetwork = true },
        new(BillingVm, EntityKind.Vm, "", "VM", BillingVm, NodeB, "192.168.50.10", "", "tcp/8443"),
        new(Outside, EntityKind.Unknown, "", "", "", NodeB, Outside, "", "tcp/443"),
    ];

    /// <summary>The pod of another workload that takes over the addresses of <see cref="Report"/> after its death.</summary>
    public static FleetMember Successor { get; } = Pod(Audit, "shop", "Deployment", "audit", NodeA, 50);

    public static IReadOnlyList<FleetService> Services { get; } =
    [
        new("api", "shop", "tcp", "10.96.0.10", 80, "api", 8080),
        new("kube-dns", "kube-system", "udp", "10.96.0.53", 53, "coredns", 53),
    ];

    public static FleetMember Member(string name) => name == Audit ? Successor : Members.First(member => member.Name == name);

    public static FleetNodePlan Node(string name) => Nodes.First(node => node.Name == name);

    private static FleetMember Pod(string name, string space, string workloadKind, string workload, string node, int number, params string[] listens)
    {
        var side = node == NodeA ? 1 : 2;
        return new(name, EntityKind.Pod, space, workloadKind, workload, node, $"10.10.{side}.{number}", $"fd00:10:{side}::{number}", listens);
    }
}
