using System.IO.Enumeration;
using Flows.Capture.Doctor.Asks;
using Flows.Capture.Rights;

namespace Flows.Capture.Doctor;

/// <summary>
/// All that checks look at: files, and questions to the kernel. Each question is a delegate, so that a test can answer it; what this process
/// really sees is the default.
/// </summary>
public sealed class NodeView
{
    // A node with more interfaces has them for its pods, and they are all alike.
    private const int InterfacesMax = 512;

    public NodeFiles Files { get; init; } = new();

    /// <summary>Which interfaces to look at: names with <c>*</c> and <c>?</c>. All but loopback when empty.</summary>
    public IReadOnlyList<string> InterfacePatterns { get; init; } = [];

    /// <summary>Asks a netlink family (linux/netlink.h) one question.</summary>
    internal Func<int, byte[], NetlinkAnswer> Netlink { get; init; } = NetlinkAsk.Ask;

    internal Func<int, ReceiveBuffer> ReceiveBuffer { get; init; } = ReceiveBufferAsk.Try;

    internal Func<ClockState?> Clock { get; init; } = ClockAsk.Read;

    /// <summary>libpcap's own words about itself; null where it is not installed.</summary>
    internal Func<string?> LibpcapVersion { get; init; } = LibpcapAsk.Version;

    /// <summary>The offloads that are on, as the kernel names them; null where the interface does not say.</summary>
    internal Func<string, IReadOnlySet<string>?> Offloads { get; init; } = OffloadAsk.Active;

    /// <summary>How many programs are attached to a cgroup at an attach type; null where that cannot be asked.</summary>
    internal Func<string, int, int?> CgroupPrograms { get; init; } = CgroupProgramsAsk.Count;

    /// <summary>The rights of this process.</summary>
    public ThreadRights? Rights => Files.Text("proc/self/status") is { } status ? ThreadRights.Parse(status) : null;

    public bool Has(Capabilities one) => Rights is { } rights && (rights.Effective & one) == one;

    /// <summary>The interfaces of this network namespace with their counters. Not from /sys, which shows the namespace in which it was mounted.</summary>
    internal IReadOnlyList<InterfaceCounters> Interfaces => [.. Files.Lines("proc/self/net/dev").Select(InterfaceCounters.Parse).OfType<InterfaceCounters>().Take(InterfacesMax)];

    /// <summary>Those that were asked for.</summary>
    internal IReadOnlyList<InterfaceCounters> ChosenInterfaces =>
        [.. Interfaces.Where(one => InterfacePatterns.Count == 0 ? one.Name != "lo" : InterfacePatterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, one.Name, ignoreCase: false)))];
}
