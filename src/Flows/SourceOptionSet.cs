using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Flows.Capture.Conntrack;
using Flows.Core;

namespace Flows;

/// <summary>What to watch on this machine.</summary>
internal sealed record SourceOptions
{
    /// <summary>The default of <see cref="RingMib"/>.</summary>
    public const int RingMibDefault = 32;

    /// <summary>The node's name, as the inventory knows it.</summary>
    public required string Node { get; init; }

    /// <summary>The routing domain in which this node's addresses are unique.</summary>
    public required string Scope { get; init; }

    public bool Conntrack { get; init; }

    /// <summary>Names and globs of the interfaces whose packets are tracked, and exclusions; see <c>InterfaceSourceOptions</c>.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>Learn names from the DNS answers among the packets.</summary>
    public bool Names { get; init; } = true;

    /// <summary>Names and globs of the interfaces where only DNS answers are read, for a node whose flows come from conntrack alone.</summary>
    public IReadOnlyList<string> NamesInterfaces { get; init; } = [];

    /// <summary>MiB of kernel memory for packets that wait, for all interfaces together.</summary>
    public int RingMib { get; init; } = RingMibDefault;

    /// <summary>Switch conntrack's accounting, events and timestamps on in this network namespace.</summary>
    public bool ManageSysctl { get; init; }

    /// <summary>Further network namespaces whose connection tracking is followed: paths, or names below /run/netns.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Kernel memory for conntrack events that wait, in bytes.</summary>
    public int ConntrackBufferBytes { get; init; } = new ConntrackSourceOptions().ReceiveBufferBytes;

    /// <summary>Most connections that the conntrack source remembers at once.</summary>
    public int ConntrackEntriesMax { get; init; } = new ConntrackSourceOptions().EntriesMax;

    /// <summary>Where sources remember over restarts what they have reported; nowhere when null.</summary>
    public string? MemoryDirectory { get; init; }

    /// <summary>Look up who owns the sockets of connections that begin or end here.</summary>
    public bool Owners { get; init; } = true;

    /// <summary>Also look up process and executable.</summary>
    public bool OwnerProcesses { get; init; }

    /// <summary>Where this machine's own <c>/etc</c> is, for a collector in a container.</summary>
    public string HostRoot { get; init; } = "/";

    /// <summary>Ask the cloud, where the firmware tells of one, what this machine is.</summary>
    public bool CloudMetadata { get; init; } = true;

    /// <summary>What is not as it should be with the rights of this process; null where all is well.</summary>
    public string? RightsWarning { get; init; }

    /// <summary>A pcapng file that gets every netlink message and packet as it was received; none when null.</summary>
    public string? RecordTo { get; init; }
}

/// <summary>The flags that <c>collect</c> and <c>up</c> share.</summary>
internal sealed class SourceOptionSet
{
    private const int RingMibMin = 2;
    private const int RingMibMax = 1024;

    private readonly Option<string> node = new("--node") { Description = "This node's name in the inventory. The host name unless given.", HelpName = "NAME" };
    private readonly Option<string> scope = new("--scope")
    {
        Description = "The routing domain in which this node's addresses are unique.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "default",
    };

    private readonly Option<bool> conntrack = new("--conntrack") { Description = "Record what the kernel's connection tracking sees (needs CAP_NET_ADMIN). The default when no --interface is given." };
    private readonly Option<string[]> interfaces = new("--interface")
    {
        Description = "Track the packets of these interfaces (needs CAP_NET_RAW): a name, a glob such as 'veth*', or '!NAME' to leave one out. May be repeated.",
        HelpName = "PATTERN",
    };

    private readonly Option<int> ringMib = new("--ring-mib")
    {
        Description = "Kernel memory in MiB for packets that wait, shared by all interfaces, at least 2 each; 2 to 1024.",
        HelpName = "MIB",
        DefaultValueFactory = _ => SourceOptions.RingMibDefault,
    };

    private readonly Option<string[]> namesInterfaces = new("--names-interface")
    {
        Description = "Where conntrack alone records the flows: read DNS answers, and nothing else, on these interfaces (needs CAP_NET_RAW). May be repeated.",
        HelpName = "PATTERN",
    };

    private readonly Option<bool> manageSysctl = new("--manage-sysctl")
    {
        Description = "Switch on conntrack's accounting, events and timestamps in each network namespace that is followed, and keep them on.",
    };

    private readonly Option<string[]> namespaces = new("--netns")
    {
        Description = "Also follow the connection tracking of this network namespace (needs CAP_SYS_ADMIN): a path such as /proc/PID/ns/net, or a name of 'ip netns'. May be repeated.",
        HelpName = "NAME",
    };

    private readonly Option<int> conntrackBuffer = new("--conntrack-buffer")
    {
        Description = "Kernel memory for conntrack events that wait to be read, in MiB; an event takes about 1.3 KB.",
        HelpName = "MIB",
        DefaultValueFactory = _ => 64,
    };

    private readonly Option<int> conntrackEntries = new("--conntrack-entries")
    {
        Description = "Most connections that conntrack's source remembers at once, 216 bytes each.",
        HelpName = "COUNT",
        DefaultValueFactory = _ => 262_144,
    };

    private readonly Option<bool> noNames = CommonOptions.NoNames();
    private readonly Option<bool> noOwners = new("--no-owners") { Description = "Do not look up which user, unit, container or pod owns the sockets on this node." };
    private readonly Option<bool> ownerProcesses = new("--owner-processes")
    {
        Description = "Also look up process and executable of sockets (needs CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and the node's pid namespace).",
    };

    private readonly Option<DirectoryInfo> hostRoot = new("--host-root")
    {
        Description = "Where this machine's /etc is mounted, for a collector in a container: machine-id, os-release and flows/labels are read there.",
        HelpName = "DIR",
    };

    private readonly Option<bool> noCloudMetadata = new("--no-cloud-metadata")
    {
        Description = "Do not ask 169.254.169.254 what this machine is where the firmware says that it is EC2's, GCE's or Azure's.",
    };

    private readonly Option<FileInfo> record = new("--record")
    {
        Description = "Also write every netlink message and packet header received to this pcapng file, for 'flows replay'.",
        HelpName = "FILE",
    };

    public void AddTo(Command verb)
    {
        verb.Add(node);
        verb.Add(scope);
        verb.Add(conntrack);
        verb.Add(interfaces);
        ringMib.Validators.Add(result => Between(result, RingMibMin, RingMibMax));
        verb.Add(ringMib);
        verb.Add(namesInterfaces);
        verb.Add(manageSysctl);
        verb.Add(noNames);
        verb.Add(namespaces);
        conntrackBuffer.Validators.Add(result => Between(result, 1, 1023));
        conntrackEntries.Validators.Add(result => Between(result, 1, 16_777_216));
        verb.Add(conntrackBuffer);
        verb.Add(conntrackEntries);
        verb.Add(noOwners);
        verb.Add(ownerProcesses);
        verb.Add(hostRoot);
        verb.Add(noCloudMetadata);
        verb.Add(record);
    }

    public SourceOptions Read(ParseResult parsed)
    {
        var chosen = parsed.GetValue(interfaces) ?? [];
        var spaces = (parsed.GetValue(namespaces) ?? []).Distinct(StringComparer.Ordinal).ToArray();
        return new SourceOptions
        {
            Node = parsed.GetValue(node) ?? Environment.MachineName,
            Scope = parsed.GetValue(scope) ?? "default",
            Conntrack = parsed.GetValue(conntrack) || chosen.Length == 0 || spaces.Length > 0,
            Interfaces = chosen.Distinct(StringComparer.Ordinal).ToArray(),
            Names = !parsed.GetValue(noNames),
            NamesInterfaces = parsed.GetValue(namesInterfaces) ?? [],
            RingMib = parsed.GetValue(ringMib),
            ManageSysctl = parsed.GetValue(manageSysctl),
            Namespaces = spaces,
            ConntrackBufferBytes = parsed.GetValue(conntrackBuffer) << 20,
            ConntrackEntriesMax = parsed.GetValue(conntrackEntries),
            Owners = !parsed.GetValue(noOwners),
            OwnerProcesses = parsed.GetValue(ownerProcesses),
            HostRoot = parsed.GetValue(hostRoot)?.FullName ?? "/",
            CloudMetadata = !parsed.GetValue(noCloudMetadata),
            RecordTo = parsed.GetValue(record)?.FullName,
        };
    }

    private static void Between(OptionResult result, int least, int most)
    {
        if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value) || value < least || value > most))
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{result.Option.Name} takes a number from {least} to {most}, not '{result.Tokens[0].Value}'."));
        }
    }
}
