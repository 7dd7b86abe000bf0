using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Verbs;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class ReplayTests
{
    private static readonly SegmentPolicy DenyAll = SegmentPolicy.For("shop", "deny", LabelSelector.Everything) with { Ingress = [] };

    [Fact]
    public void A_denied_need_is_named_with_its_side_and_what_isolates_it()
    {
        var replay = PolicyReplay.Run(Input([Edge(App("web"), App("api"), 8080)]), new PolicySet([DenyAll]));
        Assert.Equal(ExitCode.No, replay.ExitCode);
        Assert.Equal("no rule of shop/api allows ingress from shop/web on TCP 8080 (isolated by shop/deny)", replay.Denied.Single().Sentence);
    }

    [Fact]
    public void Policies_add_up()
    {
        var allow = DenyAll with { Name = "allow", Ingress = [new Rule { Ports = [PortMatch.Of(IpProtocol.Tcp, 8080)] }] };
        Assert.Empty(PolicyReplay.Run(Input([Edge(App("web"), App("api"), 8080)]), new PolicySet([allow, DenyAll])).Denied);
    }

    [Fact]
    public void What_nobody_needs_may_be_denied()
    {
        var replay = PolicyReplay.Run(Input([Edge(App("web"), App("api"), 1, answered: 0), Edge(App("web"), App("web"), 2)]), new PolicySet([DenyAll]));
        Assert.Equal(ExitCode.Ok, replay.ExitCode);
        Assert.Equal([ReviewReason.Unanswered, ReviewReason.Loopback], replay.KeptOut.Select(item => item.Reason));
    }

    [Fact]
    public void An_end_with_several_addresses_of_which_some_are_allowed_is_unsure()
    {
        var vm = Machine(EntityKind.Vm, "db");
        var allow = DenyAll with { Ingress = null, Egress = [new Rule { Peers = [new RangeSegment(NetBlock.Parse("192.0.2.1/32"), [])] }] };
        var replay = PolicyReplay.Run(Input([Edge(App("api"), vm, 5432)], addresses: [(vm, "192.0.2.1"), (vm, "192.0.2.2")]), new PolicySet([allow]));
        Assert.Equal((0, 1), (replay.Denied.Count, replay.Unsure.Count));
    }

    [Fact]
    public void What_the_ledger_cannot_judge_is_noted()
    {
        var rule = new Rule
        {
            Peers = [new PodSegment(LabelSelector.Of([new("team", "a")]), LabelSelector.Everything)],
            Ports = [new PortMatch(IpProtocol.Tcp, Name: "http")],
        };
        var replay = PolicyReplay.Run(Input([Edge(App("web"), App("api"), 8080)]), new PolicySet([DenyAll with { Ingress = [rule] }]));
        Assert.Equal(2, replay.Notes.Count);
        Assert.Contains("unresolved named port 'http': of 1 pods", replay.Notes[1] + replay.Notes[0], StringComparison.Ordinal);
        Assert.Single(replay.Denied);
    }

    [Theory]
    [InlineData("http/tcp", "8080", 0)]
    [InlineData("http/tcp", "8081", 1)]
    [InlineData("http/udp", "8080", 1)]
    [InlineData("https/tcp", "8080", 1)]
    public void A_named_port_is_what_the_servers_containers_called_it(string name, string number, int denied)
    {
        var api = App("api") with { Ports = LabelDictionary.Of([new(name, number)]) };
        var allow = DenyAll with { Ingress = [new Rule { Ports = [new PortMatch(IpProtocol.Tcp, Name: "http")] }] };
        var replay = PolicyReplay.Run(Input([Edge(App("web"), api, 8080)]), new PolicySet([allow]));
        Assert.Equal(denied, replay.Denied.Count);
        Assert.Empty(replay.Notes);
    }

    [Fact]
    public void Pods_of_one_workload_that_call_ports_otherwise_are_judged_apart()
    {
        Entity Api(int replica, string number) => App("api", replica) with { Ports = LabelDictionary.Of([new("http/tcp", number)]) };
        var allow = DenyAll with { Ingress = [new Rule { Ports = [new PortMatch(IpProtocol.Tcp, Name: "http")] }] };
        var replay = PolicyReplay.Run(Input([Edge(App("web"), Api(0, "8080"), 8080), Edge(App("web"), Api(1, "9090"), 8080), Edge(App("web"), Api(1, "9090"), 9090)]), new PolicySet([allow]));
        Assert.Equal("api-1", Assert.Single(replay.Denied).Edge.Dst.Name);
    }

    [Fact]
    public void Named_ports_are_those_of_the_time()
    {
        var (before, after) = (App("api") with { Ports = LabelDictionary.Of([new("http/tcp", "80")]) }, App("api") with { Ports = LabelDictionary.Of([new("http/tcp", "81")]) });
        IdentityInterval Said(Entity entity, string address, long fromUs) => new()
        {
            IntervalId = (ulong)fromUs,
            Entity = entity,
            Address = NetAddress.Parse(address),
            ValidFromUs = fromUs,
            LearnedAtUs = fromUs,
            Origin = Origins.File,
        };
        var history = LabelHistory.Of([Said(before, "10.0.0.1", 10), Said(after, "10.0.0.2", 20)]);
        Assert.Equal("80", history.At(after, 15).Ports["http/tcp"]);
        Assert.Equal("81", history.At(before, 25).Ports["http/tcp"]);
    }

    [Fact]
    public void The_ledger_gives_entities_of_all_times_and_addresses_of_the_span()
    {
        IdentityInterval Held(Entity entity, string address, long from, long? to) => new()
        {
            IntervalId = IdentityInterval.IdOf(entity, NetAddress.Parse(address), 128, from),
            Entity = entity,
            Address = NetAddress.Parse(address),
            ValidFromUs = from,
            ValidToUs = to,
            LearnedAtUs = from,
            Origin = "file",
        };
        var vm = Machine(EntityKind.Vm, "db");
        var input = PolicyInput.Of([], [Held(vm, "192.0.2.1", 0, 10), Held(vm, "192.0.2.2", 10, null), Held(App("old"), "10.0.0.1", 0, 5)], 20, 30, null);
        Assert.Equal("192.0.2.2/32", input.Addresses[vm.Id].Single().ToString());
        Assert.Contains(input.Entities, entity => entity.Name == "old-0");
        var two = Pod("a", "a", "", cluster: "east");
        Assert.Throws<FlowsException>(() => PolicyInput.Of([], [Held(App("old"), "10.0.0.1", 0, 5), Held(two, "10.0.0.2", 0, 5)], 0, 1, null));
    }

    [Fact]
    public async Task A_suggestion_replaces_its_own_files_and_refuses_foreign_ones()
    {
        var directory = Directory.CreateTempSubdirectory("flows-policy-");
        try
        {
            var both = FilesOf(Input([Edge(App("web"), App("api"), 8080), Edge(App("api"), App("db"), 5432)]));
            await PolicyFiles.WriteAsync(directory, both);
            Assert.Contains("shop.db-deployment.yaml", directory.GetFiles().Select(file => file.Name));
            var input = Input([Edge(App("web"), App("api"), 8080)]);
            var (web, api) = (Path.Combine(directory.FullName, "shop.web-deployment.yaml"), Path.Combine(directory.FullName, "shop.api-deployment.yaml"));
            File.SetLastWriteTimeUtc(web, DateTime.UnixEpoch);
            File.SetLastWriteTimeUtc(api, DateTime.UnixEpoch);
            await PolicyFiles.WriteAsync(directory, FilesOf(input));
            Assert.Equal((DateTime.UnixEpoch, false), (File.GetLastWriteTimeUtc(web), File.GetLastWriteTimeUtc(api) == DateTime.UnixEpoch));
            Assert.Equal(["evidence.json", "flows-suggestion.json", "readiness.json", "review.json", "shop.api-deployment.yaml", "shop.web-deployment.yaml"],
                directory.GetFiles().Select(file => file.Name).Order(StringComparer.Ordinal));
            Assert.Empty(PolicyReplay.Run(input, KubernetesReader.Read(PolicyFiles.Read(directory.FullName))).Denied);

            File.WriteAllText(Path.Combine(directory.FullName, "notes.txt"), "");
            Assert.Contains("notes.txt", (await Assert.ThrowsAsync<FlowsException>(() => PolicyFiles.WriteAsync(directory, both))).Message, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static IReadOnlyList<SuggestedFile> FilesOf(PolicyInput input)
    {
        var suggestion = PolicySuggester.Suggest(input);
        return PolicyFiles.Of(RenderedSuggestion.Of(input, suggestion.Set).Files, suggestion);
    }
}
