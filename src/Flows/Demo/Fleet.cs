using System.Collections.Concurrent;
using Flows.Core;

namespace Flows.Demo;

/// <summary>A machine of the running fleet; its network namespace is that of the process <paramref name="Pid"/>.</summary>
/// <param name="Interface">Where its packets pass, for a machine that tracks no connections; null where conntrack does.</param>
internal sealed record FleetNode(string Name, int Pid, string? Interface = null);

/// <summary>That a member held its addresses in [<paramref name="FromUs"/>, <paramref name="ToUs"/>); null while it does.</summary>
internal sealed record Tenure(FleetMember Member, long FromUs, long? ToUs);

/// <summary>
/// A small cluster on one machine: each pod, node and peer is a process in a network namespace of its own, held by that process
/// alone. Disposing ends the processes; if this process is killed the kernel closes their standard input, which ends them as well.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, PodProcess> processes = new(StringComparer.Ordinal);
    private readonly List<BoundProcess> guests = [];
    private readonly List<Tenure> tenures = [];

    private Fleet(TimeProvider time) => this.time = time;

    public IReadOnlyList<FleetNode> Nodes => [.. FleetPlan.Nodes.Select(node => new FleetNode(node.Name, processes[node.Name].Pid))];

    /// <summary>Where the demo collects: both nodes by conntrack, and the VM, which tracks nothing, by its packets.</summary>
    public IReadOnlyList<FleetNode> Watchpoints => [.. Nodes, new FleetNode(FleetPlan.BillingVm, processes[FleetPlan.BillingVm].Pid, FleetNetwork.MemberLink)];

    /// <summary>Who held which address when, as known now: JSON lines of an inventory file. Complete after the traffic.</summary>
    public IReadOnlyList<string> Inventory => DemoInventory.Lines(tenures, tenures.Min(tenure => tenure.FromUs));

    internal TimeProvider Time => time;

    /// <summary>Builds the fleet: namespaces, links, rules, listening servers.</summary>
    /// <exception cref="FlowsException">Not root, a tool is missing, or the kernel refuses something; the message says what.</exception>
    public static async Task<Fleet> StartAsync(TimeProvider time, CancellationToken cancellation)
    {
        FleetRequirements.Check();
        var fleet = new Fleet(time);
        try
        {
            // 1. All namespaces at once: most of the time goes into starting the processes.
            var own = FleetPlan.Members.Where(member => !member.HostNetwork).ToList();
            await Task.WhenAll(own.Select(member => member.Name).Concat(FleetPlan.Nodes.Select(node => node.Name)).Select(fleet.StartProcessAsync)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();

            // 2. The nodes and the link between them, then the members of each node.
            await fleet.PrepareNodesAsync().ConfigureAwait(false);
            await Task.WhenAll(FleetPlan.Nodes.Select(node => fleet.SettleAsync([.. own.Where(member => member.Node == node.Name)]))).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();

            // 3. The servers.
            await Task.WhenAll(FleetPlan.Members.SelectMany(member => member.Listens.Select(listen => fleet.ListenAsync(member, listen)))).ConfigureAwait(false);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Starts <c>flows arguments</c> in the network namespace of a node, bound to this process: its standard input closes when this
    /// process ends, so it must be told to end then.
    /// </summary>
    public BoundProcess StartInNode(FleetNode node, params IEnumerable<string> arguments)
    {
        var pid = node.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var guest = BoundProcess.Start($"flows on {node.Name}", ["nsenter", "--target", pid, "--net", "--", .. FleetRequirements.FlowsCommand, .. arguments]);
        guests.Add(guest);
        return guest;
    }

    /// <summary>Makes everybody talk, once. Returns when every connection has ended, with what really happened.</summary>
    /// <exception cref="FlowsException">A connection of the fleet did not do what it should; the fleet is broken then.</exception>
    public Task<DemoTruth> RunTrafficAsync(CancellationToken cancellation) => new FleetTraffic(this).RunAsync(cancellation);

    /// <summary>The process that acts for a member or a node; a hostNetwork pod acts in its node's namespace.</summary>
    internal PodProcess ProcessOf(string name) =>
        processes[processes.ContainsKey(name) ? name : FleetPlan.Member(name).Node];

    /// <summary>All connections that the named member's process has accepted.</summary>
    internal async Task<IReadOnlyList<Accepted>> AcceptedByAsync(FleetMember member) =>
        (await ProcessOf(member.Name).AskAsync(new PodRequest { Do = "accepted" }).ConfigureAwait(false)).Accepted;

    /// <summary>
    /// A member loses its link, and from then on nobody holds its addresses; its process is killed. In this order, because the kernel
    /// takes the link away by itself some time after the last process of a namespace.
    /// </summary>
    internal async Task BuryAsync(FleetMember member)
    {
        await ProcessOf(member.Node).IpAsync(FleetNetwork.Detach(member)).ConfigureAwait(false);
        var index = tenures.FindIndex(tenure => tenure.Member == member);
        tenures[index] = tenures[index] with { ToUs = time.NowUs() };
        processes.TryRemove(member.Name, out var process);
        await process!.KillAsync().ConfigureAwait(false);
        await process.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A member comes to life in the running fleet.</summary>
    internal async Task BearAsync(FleetMember member)
    {
        await StartProcessAsync(member.Name).ConfigureAwait(false);
        await SettleAsync([member]).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // Guests first: they stand in a node's namespace, and may have last words to send.
        await Task.WhenAll(guests.Select(guest => guest.DisposeAsync().AsTask())).ConfigureAwait(false);
        await Task.WhenAll(processes.Values.Select(process => process.DisposeAsync().AsTask())).ConfigureAwait(false);
        processes.Clear();
        guests.Clear();
    }

    private async Task StartProcessAsync(string name) => processes[name] = await PodProcess.StartAsync(name).ConfigureAwait(false);

    private async Task PrepareNodesAsync()
    {
        await Task.WhenAll(FleetPlan.Nodes.Select(async node =>
        {
            var process = processes[node.Name];
            await process.NftAsync(FleetNetwork.NodeRules()).ConfigureAwait(false);
            await process.SetAsync([.. FleetNetwork.Quiet, .. FleetNetwork.NodeSettings]).ConfigureAwait(false);
        })).ConfigureAwait(false);
        await processes[FleetPlan.NodeA].IpAsync(FleetNetwork.JoinNodes(processes[FleetPlan.NodeB].Pid)).ConfigureAwait(false);
        foreach (var node in FleetPlan.Nodes)
        {
            await processes[node.Name].IpAsync(FleetNetwork.Loopback + FleetNetwork.NodeLink(node)).ConfigureAwait(false);
        }

        foreach (var member in FleetPlan.Members.Where(member => member.HostNetwork))
        {
            tenures.Add(new Tenure(member, time.NowUs(), null));
        }
    }

    /// <summary>Links members of one node to it: one script in the node, one in each member.</summary>
    private async Task SettleAsync(IReadOnlyList<FleetMember> members)
    {
        await Task.WhenAll(members.Select(async member =>
        {
            await processes[member.Name].SetAsync(FleetNetwork.Quiet).ConfigureAwait(false);
            if (member.Silent)
            {
                await processes[member.Name].NftAsync(FleetNetwork.SilentRules).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);

        // Before the addresses exist: a member holds them from the first moment at which a packet could carry them.
        var from = time.NowUs();
        await processes[members[0].Node].IpAsync(string.Concat(members.Select(member => FleetNetwork.Attach(member, processes[member.Name].Pid)))).ConfigureAwait(false);
        await Task.WhenAll(members.Select(member => processes[member.Name].IpAsync(FleetNetwork.Settle(member)))).ConfigureAwait(false);
        lock (tenures)
        {
            tenures.AddRange(members.Select(member => new Tenure(member, from, null)));
        }
    }

    private Task<PodReply> ListenAsync(FleetMember member, string listen)
    {
        var parts = listen.Split('/');
        var port = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return ProcessOf(member.Name).AskAsync(new PodRequest { Do = "listen", Protocol = parts[0], Port = port });
    }
}
