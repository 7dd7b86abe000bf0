using Flows.Core;

namespace Flows.Demo;

/// <summary>
/// What the fleet does: every line opens real connections in the members' namespaces, and what became of each is noted by the
/// program that opened it and by the one that answered.
/// </summary>
internal sealed class FleetTraffic(Fleet fleet)
{
    private const int DialTimeMaxMs = 5000;

    /// <summary>A scanner gives up before the kernel would repeat its SYN (after 1 s).</summary>
    private const int ScanTimeMaxMs = 300;

    /// <summary>How long an address stays empty between two pods. More than a second, so that no rounding of times hides it.</summary>
    private static readonly TimeSpan Vacancy = TimeSpan.FromMilliseconds(1200);

    private static readonly int[] ScannedPorts = [21, 22, 23, 25, 111, 135, 139, 445];

    private readonly Lock guard = new();
    private readonly List<(string Source, Dialled Dialled)> done = [];
    private readonly List<(FleetMember Member, IReadOnlyList<Accepted> Accepted)> answered = [];

    public async Task<DemoTruth> RunAsync(CancellationToken cancellation)
    {
        // 1. Everybody talks at the same time.
        await Task.WhenAll(ShopAsync(FleetPlan.Web1), ShopAsync(FleetPlan.Web2), ApisAsync(), Ipv6Async(), ObserveAsync(), BorderAsync(), ScanAsync(),
            TalkAsync(FleetPlan.Report, FleetPlan.Db, 5432, 3, 900)).WaitAsync(cancellation).ConfigureAwait(false);

        // 2. A pod dies, its addresses lie idle, and a pod of another workload takes them over.
        await fleet.BuryAsync(FleetPlan.Member(FleetPlan.Report)).ConfigureAwait(false);
        var vacant = Task.Delay(Vacancy, fleet.Time, cancellation);
        await vacant.ConfigureAwait(false);
        await fleet.BearAsync(FleetPlan.Successor).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Audit, FleetPlan.Db, 5432, 2, 300).ConfigureAwait(false);
        await CallAsync(FleetPlan.Audit, "api", 1, 200).WaitAsync(cancellation).ConfigureAwait(false);

        // 3. Who answered?
        foreach (var member in FleetPlan.Members.Where(member => member.Listens.Length > 0))
        {
            answered.Add((member, await fleet.AcceptedByAsync(member).ConfigureAwait(false)));
        }

        return new DemoTruth { Connections = [.. done.Select(one => TruthOf(one.Source, one.Dialled)).OrderBy(one => one.StartUs).ThenBy(one => one.SrcPort)] };
    }

    /// <summary>A web pod looks up the service's name, calls it, uses the cache, and once knocks at a port where nothing listens.</summary>
    private async Task ShopAsync(string web)
    {
        for (var visit = 0; visit < 2; visit++)
        {
            await AskNameAsync(web, "api").ConfigureAwait(false);
            await CallAsync(web, "api", 2, 600).ConfigureAwait(false);
            await TalkAsync(web, FleetPlan.Cache, 6379, 1, 150).ConfigureAwait(false);
        }

        if (web == FleetPlan.Web1)
        {
            await DialAsync(web, "tcp", AddressOf(FleetPlan.Cache), 6380, 0, DialOutcome.Refused).ConfigureAwait(false);
            await DialAsync(web, "tcp", AddressOf(FleetPlan.Cache), 6380, 0, DialOutcome.Refused).ConfigureAwait(false);
        }
    }

    private async Task ApisAsync()
    {
        await TalkAsync(FleetPlan.Api1, FleetPlan.Db, 5432, 3, 2000).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Api2, FleetPlan.Db, 5432, 3, 2000).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Api1, FleetPlan.BillingVm, 8443, 2, 700).ConfigureAwait(false);
        await CallAsync(FleetPlan.BillingVm, "api", 2, 250).ConfigureAwait(false);
    }

    private async Task Ipv6Async()
    {
        await DialAsync(FleetPlan.Web1, "tcp", FleetPlan.Member(FleetPlan.Api2).V6, 8080, 400, DialOutcome.Answered).ConfigureAwait(false);
        await DialAsync(FleetPlan.Web1, "tcp", FleetPlan.Member(FleetPlan.Api1).V6, 8080, 400, DialOutcome.Answered).ConfigureAwait(false);
        await DialAsync(FleetPlan.Web2, "tcp", FleetPlan.Member(FleetPlan.Api1).V6, 8080, 400, DialOutcome.Answered).ConfigureAwait(false);
    }

    /// <summary>Prometheus scrapes pods and a hostNetwork pod, which pushes in turn; the other node probes a pod of its own.</summary>
    private async Task ObserveAsync()
    {
        await TalkAsync(FleetPlan.Prometheus, FleetPlan.NodeExporter, 9100, 2, 3000).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Prometheus, FleetPlan.Api1, 8080, 1, 1500).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Prometheus, FleetPlan.Api2, 8080, 1, 1500).ConfigureAwait(false);
        await TalkAsync(FleetPlan.NodeExporter, FleetPlan.Prometheus, 9091, 1, 500).ConfigureAwait(false);
        await TalkAsync(FleetPlan.NodeB, FleetPlan.Db, 5432, 1, 10).ConfigureAwait(false);
    }

    /// <summary>Traffic with somebody whom no inventory knows, in both directions.</summary>
    private async Task BorderAsync()
    {
        await TalkAsync(FleetPlan.Api2, FleetPlan.Outside, 443, 2, 1200).ConfigureAwait(false);
        await TalkAsync(FleetPlan.Outside, FleetPlan.Web2, 8080, 1, 800).ConfigureAwait(false);
    }

    /// <summary>A port scan from inside: some pods refuse, one stays silent.</summary>
    private async Task ScanAsync()
    {
        foreach (var (victim, outcome) in ((string, DialOutcome)[])[
            (FleetPlan.Web1, DialOutcome.Refused), (FleetPlan.Api2, DialOutcome.Refused), (FleetPlan.Db, DialOutcome.Refused), (FleetPlan.Cache, DialOutcome.Unanswered)])
        {
            var address = AddressOf(victim);
            await Task.WhenAll(ScannedPorts.Select(port => DialAsync(FleetPlan.Toolbox, "tcp", address, port, 0, outcome))).ConfigureAwait(false);
        }
    }

    private async Task TalkAsync(string source, string to, int port, int times, int bytes)
    {
        for (var time = 0; time < times; time++)
        {
            await DialAsync(source, "tcp", AddressOf(to), port, bytes, DialOutcome.Answered).ConfigureAwait(false);
        }
    }

    private async Task CallAsync(string source, string serviceName, int times, int bytes)
    {
        var service = FleetPlan.Services.First(known => known.Name == serviceName);
        for (var time = 0; time < times; time++)
        {
            await DialAsync(source, service.Protocol, service.Address, service.Port, bytes, DialOutcome.Answered).ConfigureAwait(false);
        }
    }

    private Task AskNameAsync(string source, string serviceName)
    {
        var dns = FleetPlan.Services.First(known => known.Protocol == "udp");
        return DialAsync(source, "udp", dns.Address, dns.Port, 0, DialOutcome.Answered, FleetPlan.Services.First(known => known.Name == serviceName).DnsName);
    }

    private async Task DialAsync(string source, string protocol, string address, int port, int bytes, DialOutcome expected, string name = "")
    {
        var request = new PodRequest
        {
            Do = "dial",
            Protocol = protocol,
            From = address.Contains(':', StringComparison.Ordinal) ? FleetPlan.Member(source).V6 : AddressOf(source),
            Address = address,
            Port = port,
            Bytes = bytes,
            Name = name,
            TimeoutMs = expected == DialOutcome.Unanswered ? ScanTimeMaxMs : DialTimeMaxMs,
        };
        var dialled = (await fleet.ProcessOf(source).AskAsync(request).ConfigureAwait(false)).Dialled!;
        if (dialled.Outcome != expected)
        {
            throw new FlowsException(
                ExitCode.Failed, $"The demo's {source} dialled {address} {protocol}/{port} and was {dialled.Outcome}, not {expected}; the fleet's network is not as built.");
        }

        lock (guard)
        {
            done.Add((source, dialled));
        }
    }

    private static string AddressOf(string name) => FleetPlan.Nodes.FirstOrDefault(node => node.Name == name)?.V4 ?? FleetPlan.Member(name).V4;

    private TruthConnection TruthOf(string source, Dialled dialled)
    {
        var service = FleetPlan.Services.FirstOrDefault(known => known.Address == dialled.Remote);
        var answerer = service is null
            ? FleetPlan.Members.First(member => member.V4 == dialled.Remote || member.V6 == dialled.Remote)
            : BackendOf(dialled, service);
        var v6 = dialled.Remote.Contains(':', StringComparison.Ordinal);
        var node = FleetPlan.Nodes.FirstOrDefault(known => known.Name == source)?.Name ?? FleetPlan.Member(source).Node;
        return new TruthConnection
        {
            Src = TruthEnd.Of(source),
            Dst = TruthEnd.Of(answerer.Name),
            Service = service is null ? null : TruthEnd.Of(service),
            Protocol = dialled.Protocol,
            Port = service?.TargetPort ?? dialled.RemotePort,
            ServicePort = service?.Port,
            Outcome = dialled.Outcome,
            SrcAddress = dialled.Local,
            SrcPort = dialled.LocalPort,
            DialledAddress = dialled.Remote,
            DstAddress = v6 ? answerer.V6 : answerer.V4,
            Sent = dialled.Sent,
            Received = dialled.Received,
            StartUs = dialled.StartUs,
            EndUs = dialled.EndUs,
            Nodes = [.. new SortedSet<string>([node, answerer.Node, .. ((string[])[source, answerer.Name]).Where(end => end == FleetPlan.BillingVm)], StringComparer.Ordinal)],
        };
    }

    /// <summary>The pod behind a service address is the one that accepted this very address and port during this very connection.</summary>
    private FleetMember BackendOf(Dialled dialled, FleetService service)
    {
        var backends = answered.Where(one => one.Member.Workload == service.Workload && one.Accepted.Any(accepted =>
            accepted.Protocol == dialled.Protocol && accepted.Port == service.TargetPort && accepted.Remote == dialled.Local
            && accepted.RemotePort == dialled.LocalPort && accepted.AtUs >= dialled.StartUs && accepted.AtUs <= dialled.EndUs)).ToList();
        return backends.Count == 1
            ? backends[0].Member
            : throw new FlowsException(
                ExitCode.Failed,
                $"{backends.Count} pods say that they answered {dialled.Local}:{dialled.LocalPort} for {service.DnsName}; the demo does not know its own truth.");
    }
}
