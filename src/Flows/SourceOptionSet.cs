using System.CommandLine;
using Flows.Core;

namespace Flows;

/// <summary>What to watch on this machine.</summary>
internal sealed record SourceOptions
{
    /// <summary>The node's name, as the inventory knows it.</summary>
    public required string Node { get; init; }

    /// <summary>The routing domain in which this node's addresses are unique.</summary>
    public required string Scope { get; init; }

    public bool Conntrack { get; init; }

    /// <summary>Names of the interfaces whose packets are tracked.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>Learn names from the DNS answers among the packets.</summary>
    public bool Names { get; init; } = true;

    /// <summary>Switch conntrack's accounting, events and timestamps on in this network namespace.</summary>
    public bool ManageSysctl { get; init; }

    /// <summary>What is not as it should be with the rights of this process; null where all is well.</summary>
    public string? RightsWarning { get; init; }

    /// <summary>Further network namespaces whose connection tracking is followed: paths, or names below /run/netns.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Where sources remember over restarts what they have reported; nowhere when null.</summary>
    public string? MemoryDirectory { get; init; }

    /// <summary>A pcapng file that gets every netlink message and packet as it was received; none when null.</summary>
    public string? RecordTo { get; init; }
}

/// <summary>The flags that <c>collect</c> and <c>up</c> share.</summary>
internal sealed class SourceOptionSet
{
    private readonly Option<string> node = new("--node") { Description = "This node's name in the inventory. The host name unless given.", HelpName = "NAME" };
    private readonly Option<string> scope = new("--scope")
    {
        Description = "The routing domain in which this node's addresses are unique.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "default",
    };

    private readonly Option<bool> conntrack = new("--conntrack") { Description = "Record what the kernel's connection tracking sees (needs CAP_NET_ADMIN). The default when no --interface is given." };
    private readonly Option<string[]> interfaces = new("--interface") { Description = "Track the packets of this interface (needs CAP_NET_RAW). May be repeated.", HelpName = "NAME" };
    private readonly Option<bool> manageSysctl = new("--manage-sysctl") { Description = "Switch on conntrack's accounting, events and timestamps in each network namespace that is followed, and keep them on." };
    private readonly Option<string[]> namespaces = new("--netns")
    {
        Description = "Also follow the connection tracking of this network namespace (needs CAP_SYS_ADMIN): a path such as /proc/PID/ns/net, or a name of 'ip netns'. May be repeated.",
        HelpName = "NAME",
    };

    private readonly Option<bool> noNames = CommonOptions.NoNames();
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
        verb.Add(manageSysctl);
        verb.Add(noNames);
        verb.Add(namespaces);
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
            ManageSysctl = parsed.GetValue(manageSysctl),
            Namespaces = spaces,
            RecordTo = parsed.GetValue(record)?.FullName,
        };
    }
}
