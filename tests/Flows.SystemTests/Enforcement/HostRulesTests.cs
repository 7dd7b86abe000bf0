using System.Diagnostics;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.Demo;
using Flows.SystemTests.Cli;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Enforcement;

/// <summary>The nftables of hosts in the demo's fleet: real rules in real namespaces between real programs.</summary>
public sealed class HostRulesTests(ITestOutputHelper output)
{
    private const int PatienceMs = 400;

    [Fact]
    public async Task Needed_connections_pass_others_do_not_and_everything_comes_off()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var token = TestContext.Current.CancellationToken;
        await using var fleet = await Flows.Demo.Fleet.StartAsync(TimeProvider.System, token);
        var truth = await fleet.RunTrafficAsync(token);
        foreach (var (name, address) in ((string, string)[])[(FleetPlan.BillingVm, FleetPlan.Member(FleetPlan.BillingVm).V4), (FleetPlan.NodeA, "192.168.100.1"), (FleetPlan.NodeB, "192.168.100.2")])
        {
            using var directory = new TemporaryDirectory();
            var needed = truth.Connections.Where(one => one.Outcome == DialOutcome.Answered && (one.SrcAddress == address || one.DstAddress == address)).ToList();
            Assert.NotEmpty(needed);
            var host = new Host(fleet, name, directory);
            var before = host.Ruleset();
            Render(PolicyOf(name, address, needed), name, address, directory);

            // Nobody is stopped yet: what is denied later is denied by the rules.
            var open = await DialAllAsync(fleet, Attempts(truth, name, address));
            Assert.All(open, one => Assert.Equal(DialOutcome.Answered, one.Outcome));

            host.Apply("30");
            host.Apply("confirm");
            var closed = await DialAllAsync(fleet, Attempts(truth, name, address));
            Assert.All(closed, one => Assert.True((one.Outcome == DialOutcome.Answered) == one.Attempt.IsNeeded, $"{name}: {one.Attempt} was {one.Outcome}\n{host.Ruleset()}"));
            output.WriteLine($"{name}: {closed.Count(one => one.Attempt.IsNeeded)} needed kinds of connection pass, {closed.Count(one => !one.Attempt.IsNeeded)} others do not");
            Assert.Contains(closed, one => one.Attempt.IsNeeded);

            host.Apply("remove");
            Assert.Equal(before, host.Ruleset());
            Assert.All(await DialAllAsync(fleet, Attempts(truth, name, address)), one => Assert.Equal(DialOutcome.Answered, one.Outcome));
        }
    }

    [Fact]
    public async Task Rules_that_nobody_confirms_are_taken_back_to_what_was_there()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var token = TestContext.Current.CancellationToken;
        await using var fleet = await Flows.Demo.Fleet.StartAsync(TimeProvider.System, token);
        var address = FleetPlan.Member(FleetPlan.BillingVm).V4;
        using var directory = new TemporaryDirectory();
        var host = new Host(fleet, FleetPlan.BillingVm, directory);
        var bare = host.Ruleset();

        // Cut off by a mistake: nothing passes, and after the time it does again.
        Render(PolicyOf(FleetPlan.BillingVm, address, []), FleetPlan.BillingVm, address, directory);
        host.Apply("1");
        Assert.Contains(NftablesWriter.Table, host.Ruleset(), StringComparison.Ordinal);
        Assert.Equal(DialOutcome.Unanswered, await DialAsync(fleet, new Attempt(FleetPlan.Api1, address, 8443, IsNeeded: false)));
        await WaitAsync(() => host.Ruleset() == bare, token);
        Assert.Equal(DialOutcome.Answered, await DialAsync(fleet, new Attempt(FleetPlan.Api1, address, 8443, IsNeeded: true)));

        // A second load that is not confirmed goes back to the first, which was.
        host.Apply("30");
        host.Apply("confirm");
        var kept = host.Ruleset();
        Render(PolicyOf(FleetPlan.BillingVm, address, [], open: true), FleetPlan.BillingVm, address, directory);
        host.Apply("1");
        Assert.NotEqual(kept, host.Ruleset());
        await WaitAsync(() => Bare(host.Ruleset()) == Bare(kept), token);

        host.Apply("remove");
        Assert.Equal(bare, host.Ruleset());
    }

    private sealed record Attempt(string Source, string Address, int Port, bool IsNeeded);

    /// <summary>Every member to every port of the host, and the host to every port of the others, as they really answer.</summary>
    private static List<Attempt> Attempts(DemoTruth truth, string name, string address)
    {
        var answered = truth.Connections.Where(one => one.Outcome == DialOutcome.Answered && one.Protocol == "tcp" && !one.DialledAddress.Contains(':', StringComparison.Ordinal)).ToList();
        var needed = answered.Select(one => (one.SrcAddress, one.DialledAddress, Port: one.ServicePort ?? one.Port)).ToHashSet();
        var members = FleetPlan.Members.Where(member => member is { HostNetwork: false } && member.Name != FleetPlan.Report).ToList();
        var ports = FleetPlan.Members.Where(member => member.V4 == address || member.Name == name).SelectMany(member => member.Listens)
            .Where(listen => listen.StartsWith("tcp/", StringComparison.Ordinal)).Select(listen => int.Parse(listen[4..], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        var inward = from member in members
                     where member.V4 != address
                     from port in ports
                     select new Attempt(member.Name, address, port, needed.Contains((member.V4, address, port)));
        var outward = from member in members
                      where member.V4 != address
                      from listen in member.Listens
                      where listen.StartsWith("tcp/", StringComparison.Ordinal)
                      let port = int.Parse(listen[4..], System.Globalization.CultureInfo.InvariantCulture)
                      select new Attempt(name, member.V4, port, needed.Contains((address, member.V4, port)));
        var services = needed.Where(one => one.SrcAddress == address && one.DialledAddress.StartsWith("10.96.", StringComparison.Ordinal))
            .Select(one => new Attempt(name, one.DialledAddress, one.Port, IsNeeded: true));
        return [.. inward, .. outward, .. services];
    }

    private static async Task<List<(Attempt Attempt, DialOutcome Outcome)>> DialAllAsync(Flows.Demo.Fleet fleet, List<Attempt> attempts)
    {
        var outcomes = await Task.WhenAll(attempts.Select(attempt => DialAsync(fleet, attempt)));
        return [.. attempts.Zip(outcomes)];
    }

    private static async Task<DialOutcome> DialAsync(Flows.Demo.Fleet fleet, Attempt attempt)
    {
        var from = FleetPlan.Nodes.FirstOrDefault(node => node.Name == attempt.Source)?.V4 ?? FleetPlan.Member(attempt.Source).V4;
        var request = new PodRequest { Do = "dial", From = from, Address = attempt.Address, Port = attempt.Port, Bytes = 20, TimeoutMs = attempt.IsNeeded ? 5000 : PatienceMs };
        return (await fleet.ProcessOf(attempt.Source).AskAsync(request)).Dialled!.Outcome;
    }

    /// <summary>What the host needs, by address: as others reach it, and as it dials, which is before any translation.</summary>
    private static PolicySet PolicyOf(string name, string address, IReadOnlyList<TruthConnection> needed, bool open = false) => new(
    [
        new SegmentPolicy
        {
            Name = $"{name}-host",
            Target = HostSegment.Named(name),
            Ingress = open ? [new Rule()] : [.. needed.Where(one => one.DstAddress == address).Select(one => RuleOf(one.SrcAddress, one.Port)).DistinctBy(rule => rule.Key)],
            Egress = open ? [new Rule()] : [.. needed.Where(one => one.SrcAddress == address).Select(one => RuleOf(one.DialledAddress, one.ServicePort ?? one.Port)).DistinctBy(rule => rule.Key)],
        },
    ]);

    private static Rule RuleOf(string address, int port) =>
        new() { Peers = [new RangeSegment(NetBlock.Of(NetAddress.Parse(address)), [])], Ports = [PortMatch.Of(IpProtocol.Tcp, (ushort)port)] };

    private static void Render(PolicySet set, string name, string address, TemporaryDirectory directory)
    {
        var party = new Party
        {
            Id = name, HostLabels = new Dictionary<string, string> { [HostSegment.NameLabel] = name }, Address = NetBlock.Of(NetAddress.Parse(address)),
        };
        var rendering = NftablesWriter.Render(set, new NftablesHost(party, segment => segment is RangeSegment range ? [range.Range] : null));
        Assert.Empty(rendering.Losses);
        foreach (var file in rendering.Files)
        {
            File.WriteAllText(directory[file.Name], file.Text);
        }
    }

    private static async Task WaitAsync(Func<bool> until, CancellationToken token)
    {
        var waited = Stopwatch.StartNew();
        while (!until())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), "The rules were not taken back.");
            await Task.Delay(100, token);
        }
    }

    /// <summary>Counters run on.</summary>
    private static string Bare(string ruleset) => System.Text.RegularExpressions.Regex.Replace(ruleset, "packets [0-9]+ bytes [0-9]+", "");

    private sealed class Host(Flows.Demo.Fleet fleet, string name, TemporaryDirectory directory)
    {
        public string Ruleset() => Run("nft", "list", "ruleset");

        public string Apply(string argument) => Run("sh", directory["apply.sh"], argument);

        private string Run(params string[] command)
        {
            var start = new ProcessStartInfo("nsenter", ["--target", fleet.ProcessOf(name).Pid.ToString(System.Globalization.CultureInfo.InvariantCulture), "--net", "--", .. command])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["FLOWS_POLICY_STATE"] = directory["state"] },
            };
            using var process = Process.Start(start)!;
            var (said, complaint) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {complaint}");
            return said;
        }
    }
}
