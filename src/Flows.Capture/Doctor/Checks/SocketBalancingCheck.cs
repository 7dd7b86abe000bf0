namespace Flows.Capture.Doctor.Checks;

/// <summary>Load balancing in connect(), as Cilium's kube-proxy replacement does: the service's address never reaches the wire.</summary>
internal sealed class SocketBalancingCheck() : Check("socket_load_balancing", "dataplane")
{
    // BPF_CGROUP_INET4_CONNECT and BPF_CGROUP_INET6_CONNECT of enum bpf_attach_type.
    private const int Inet4Connect = 10;
    private const int Inet6Connect = 11;

    private const string Hides = "not seen: which service was dialled, as its address is replaced before the first packet and flows show the backend; "
        + "nor, by conntrack, what pods of one node say to each other";

    private const string Mend = "flows collect --interface 'lxc*' ...";

    public override Finding Look(NodeView node)
    {
        var cilium = node.Interfaces.Select(one => one.Name).Where(name => name is "cilium_host" or "cilium_net" or "cilium_vxlan").ToList();
        var pods = node.Interfaces.Count(one => one.Name.StartsWith("lxc", StringComparison.Ordinal));
        var maps = node.Files.Names("sys/fs/bpf/tc/globals").Count(name => name.StartsWith("cilium", StringComparison.Ordinal));
        if (cilium.Count > 0 || maps > 0)
        {
            var seen = cilium.Count > 0 ? $"interface {Wording.List(cilium)}, {pods} of pods" : $"{Wording.Count(maps, "BPF map", "BPF maps")} in /sys/fs/bpf/tc/globals";
            return Warn($"Cilium runs here ({seen})", Hides, Mend);
        }

        var root = Cgroup2Root(node.Files);
        var programs = root is null ? null : Sum(Programs(root, Inet4Connect), Programs(root, Inet6Connect));
        return programs switch
        {
            null => Unknown("no interface or map of Cilium; programs on connect() cannot be listed here (that needs CAP_NET_ADMIN and the cgroup2 file system)"),
            0 => Ok("no Cilium, no program on connect()"),
            _ => Warn($"{Wording.Count(programs.Value, "BPF program may change", "BPF programs may change")} addresses in connect()", Hides, "bpftool cgroup tree"),
        };

        int? Programs(string cgroup, int attachType) => node.CgroupPrograms(node.Files.PathOf(cgroup), attachType);
    }

    /// <summary>Where the cgroup2 hierarchy is mounted, relative to the root; null if nowhere.</summary>
    public static string? Cgroup2Root(NodeFiles files) =>
        files.Lines("proc/self/mounts").Select(line => line.Split(' ')).FirstOrDefault(fields => fields.Length > 2 && fields[2] == "cgroup2")?[1].TrimStart('/');

    private static int? Sum(int? first, int? second) => first is null && second is null ? null : (first ?? 0) + (second ?? 0);
}
