using System.Diagnostics;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

public sealed class NftablesTests
{
    private static readonly Party Host = new() { Id = "db", HostLabels = new Dictionary<string, string> { [HostSegment.NameLabel] = "db" } };

    [Fact]
    public void Rules_stand_in_a_table_of_their_own_with_replies_first()
    {
        var text = Render(Policy(new Rule { Peers = [RangeSegment.Of("10.0.0.0/24", "10.0.0.7/32"), RangeSegment.Of("2001:db8::/64")], Ports = [PortMatch.Of(IpProtocol.Tcp, 5432)] })).Files[0].Text;
        Assert.StartsWith("#!/usr/sbin/nft -f\ntable inet flows_policy\ndelete table inet flows_policy\ntable inet flows_policy {", text, StringComparison.Ordinal);
        Assert.DoesNotContain("flush", text, StringComparison.Ordinal);
        Assert.True(text.IndexOf("ct state established,related accept", StringComparison.Ordinal) < text.IndexOf("jump ingress_0", StringComparison.Ordinal));
        Assert.Contains("ip saddr @peers_0_v4 tcp dport { 5432 } counter accept comment \"db/guard ingress[0]\"", text, StringComparison.Ordinal);
        Assert.Contains("flags interval", text, StringComparison.Ordinal);
        Assert.DoesNotContain("chain egress", text, StringComparison.Ordinal);
        Assert.Contains("counter drop comment \"closed by db/guard\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_packet_filter_cannot_say_is_reported_and_never_becomes_everybody()
    {
        var rendering = Render(Policy(
            new Rule { Peers = [new NameSegment("example.com")] },
            new Rule { Ports = [new PortMatch(IpProtocol.Tcp, Name: "http")] },
            new Rule { Action = RuleAction.Deny, Peers = [PodSegment.All] }));
        Assert.DoesNotContain("accept comment", rendering.Files[0].Text, StringComparison.Ordinal);
        Assert.Equal([LossEffect.Closes, LossEffect.Closes, LossEffect.Opens], rendering.Losses.Select(loss => loss.Effect).Order());
    }

    [Fact]
    public void Names_of_strangers_cannot_leave_their_comment() => Assert.All(
        Render(Policy(new Rule()) with { Name = "x\" accept\n flush ruleset;#" }).Files[0].Text.Split('\n').Where(line => line.Contains("flush", StringComparison.Ordinal)),
        line => Assert.Equal(2, line.Count(c => c == '"')));

    [Fact]
    public void The_kernels_own_reader_takes_random_sets()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") && Environment.IsPrivilegedProcess, "needs nft and root");
        for (var seed = 0; seed < 12; seed++)
        {
            var random = new RandomSets(seed) { Denies = true, Passes = true, Tiers = true, Orders = true, Hosts = true, Open = true, ClusterWide = true };
            var set = new PolicySet([.. random.Set().Policies.Select(policy => policy with { Target = new HostSegment(LabelSelector.Everything) })]);
            var file = Path.GetTempFileName();
            try
            {
                File.WriteAllText(file, Render(set).Files[0].Text);
                using var nft = Process.Start(new ProcessStartInfo("unshare", ["-n", "/usr/sbin/nft", "--file", file]) { RedirectStandardError = true })!;
                var said = nft.StandardError.ReadToEnd();
                nft.WaitForExit();
                Assert.True(nft.ExitCode == 0, $"seed {seed}: {said}\n{File.ReadAllText(file)}");
            }
            finally
            {
                File.Delete(file);
            }
        }
    }

    private static SegmentPolicy Policy(params Rule[] rules) => new() { Namespace = "db", Name = "guard", Target = HostSegment.Named("db"), Ingress = rules };

    private static Rendering Render(SegmentPolicy policy) => Render(new PolicySet([policy]));

    private static Rendering Render(PolicySet set) => NftablesWriter.Render(set, new NftablesHost(Host, segment => segment switch
    {
        RangeSegment range => Blocks.Of(range),
        HostSegment => [NetBlock.Parse("10.9.0.1/32"), NetBlock.Parse("2001:db8::9/128")],
        PodSegment { Pods.IsEverything: false } => [NetBlock.Parse("10.8.0.1/32")],
        _ => null,
    }));
}
