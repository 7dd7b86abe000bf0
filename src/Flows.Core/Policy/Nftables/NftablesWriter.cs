using System.Globalization;
using System.Text;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Renders what a set means for one host as an nftables table of its own, loaded in one transaction. Other tables are never touched. Peers are named
/// sets, so that a pod that comes or goes is one element. Replies pass first; a script loads the file and takes it back unless somebody confirms.
/// </summary>
public sealed class NftablesWriter
{
    public const string Table = "flows_policy";

    // The kernel refuses longer comments.
    private const int CommentMax = 120;

    private readonly NftablesHost host;
    private readonly LossLog log = new();
    private readonly StringBuilder sets = new();
    private readonly Dictionary<string, string> setNames = new(StringComparer.Ordinal);

    private NftablesWriter(NftablesHost host) => this.host = host;

    /// <summary>The files for a host: the rules, and the script that loads them with a way back.</summary>
    public static Rendering Render(PolicySet set, NftablesHost host)
    {
        var writer = new NftablesWriter(host);
        var rules = writer.Write([.. set.Policies.Where(host.IsGovernedBy)]);
        return new Rendering([new RenderedFile($"{Table}.nft", rules), new RenderedFile("apply.sh", NftablesScript.Text)], writer.log.Losses);
    }

    private string Write(List<SegmentPolicy> policies)
    {
        var chains = new StringBuilder();
        Direction(chains, policies, Core.Policy.Direction.Ingress);
        Direction(chains, policies, Core.Policy.Direction.Egress);

        // The first two lines make sure that there is a table to delete; all of the file is one transaction.
        return $$"""
            #!/usr/sbin/nft -f
            table inet {{Table}}
            delete table inet {{Table}}
            table inet {{Table}} {
            {{sets}}{{chains}}}

            """;
    }

    private void Direction(StringBuilder to, List<SegmentPolicy> policies, Direction direction)
    {
        var governing = policies.Where(policy => policy.Rules(direction) is not null).ToList();
        if (governing.Count == 0)
        {
            return;
        }

        var (chain, hook, inward) = direction == Core.Policy.Direction.Ingress ? ("ingress", "input", "iif") : ("egress", "output", "oif");
        var tiers = governing.GroupBy(policy => policy.Tier).OrderBy(tier => tier.Key).ToList();
        for (var i = 0; i < tiers.Count; i++)
        {
            Tier(to, $"{chain}_{i}", tiers[i].Key, [.. tiers[i]], direction);
        }

        to.Append(CultureInfo.InvariantCulture, $$"""
              chain {{chain}} {
                type filter hook {{hook}} priority filter; policy accept;
                ct state established,related accept
                {{inward}} "lo" accept
                icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept

            """);
        for (var i = 0; i < tiers.Count; i++)
        {
            to.Append(CultureInfo.InvariantCulture, $"    jump {chain}_{i}\n");
        }

        to.Append("  }\n");
    }

    /// <summary>One tier: its policies in order; what adds up is written denials first. A pass returns to the next tier.</summary>
    private void Tier(StringBuilder to, string chain, Tier tier, List<SegmentPolicy> policies, Direction direction)
    {
        to.Append(CultureInfo.InvariantCulture, $"  # tier {Comment(tier.Name)}\n  chain {chain} {{\n");
        var ordered = policies.OrderBy(policy => policy.Order ?? SegmentPolicy.OrderOfUnordered).ThenBy(policy => policy.Order is null)
            .ThenBy(policy => policy.Name, StringComparer.Ordinal).ThenBy(policy => policy.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Kind, StringComparer.Ordinal).ToList();
        foreach (var policy in ordered.Where(policy => policy.Order is not null && policy.Order <= SegmentPolicy.OrderOfUnordered))
        {
            Rules(to, policy, direction, null);
        }

        foreach (var action in (RuleAction[])[RuleAction.Deny, RuleAction.Allow, RuleAction.Pass])
        {
            ordered.Where(policy => policy.Order is null).ToList().ForEach(policy => Rules(to, policy, direction, action));
        }

        foreach (var policy in ordered.Where(policy => policy.Order > SegmentPolicy.OrderOfUnordered))
        {
            Rules(to, policy, direction, null);
        }

        if (policies.Find(policy => policy.Closes(direction)) is { } closing)
        {
            to.Append(CultureInfo.InvariantCulture, $"    counter drop comment \"{Comment($"closed by {closing.Id}")}\"\n");
        }

        to.Append("  }\n");
    }

    private void Rules(StringBuilder to, SegmentPolicy policy, Direction direction, RuleAction? only)
    {
        var rules = policy.Rules(direction)!;
        for (var i = 0; i < rules.Count; i++)
        {
            if ((only ?? rules[i].Action) == rules[i].Action && log.Fit(policy, direction, i, rules[i], PeerFault, PortFault) is { } rule)
            {
                var verdict = rule.Action switch { RuleAction.Allow => "accept", RuleAction.Deny => "drop", _ => "return" };
                foreach (var match in Peers(rule, direction).SelectMany(peer => Ports(rule).Select(port => $"{peer}{port}")))
                {
                    to.Append(CultureInfo.InvariantCulture, $"    {match}counter {verdict} comment \"{Comment($"{policy.Id} {LossLog.Place(direction, i)}")}\"\n");
                }
            }
        }
    }

    private string? PeerFault(Segment peer) => peer switch
    {
        NameSegment => "a packet filter knows addresses, and a name's change",
        _ when host.Addresses(peer) is { } addresses => addresses.Count == 0 ? "nobody is in it now" : null,
        _ => "its addresses are not known",
    };

    private static string? PortFault(PortMatch port) => port.Name is not null ? "only pods have named ports" : null;

    /// <summary>A set for each peer and family; empty text for everybody.</summary>
    private IEnumerable<string> Peers(Rule rule, Direction direction)
    {
        if (rule.Peers.Count == 0)
        {
            return [""];
        }

        var end = direction == Core.Policy.Direction.Ingress ? "saddr" : "daddr";
        return rule.Peers.SelectMany(peer => host.Addresses(peer)!.GroupBy(block => block.IsV4)
            .Select(family => (Family: family.Key ? "ip" : "ip6", Set: SetOf(peer, family.Key, [.. family]))).Select(one => $"{one.Family} {end} @{one.Set} "));
    }

    private string SetOf(Segment peer, bool v4, List<NetBlock> blocks)
    {
        var key = $"{peer.Key} {v4}";
        if (!setNames.TryGetValue(key, out var name))
        {
            setNames[key] = name = string.Create(CultureInfo.InvariantCulture, $"peers_{setNames.Count}_{(v4 ? "v4" : "v6")}");
            sets.Append(CultureInfo.InvariantCulture, $$"""
                  # {{Comment(peer.ToString())}}
                  set {{name}} {
                    type {{(v4 ? "ipv4_addr" : "ipv6_addr")}}
                    flags interval
                    auto-merge
                    elements = { {{string.Join(", ", blocks)}} }
                  }

                """);
        }

        return name;
    }

    private static IEnumerable<string> Ports(Rule rule) => rule.Ports.Count == 0 ? [""] : rule.Ports.GroupBy(port => port.Protocol).SelectMany(Ports);

    private static IEnumerable<string> Ports(IGrouping<byte, PortMatch> ports)
    {
        var transport = ports.Key is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;
        if (!transport || ports.Any(port => port.First is null))
        {
            return [$"meta l4proto {ports.Key} "];
        }

        var listed = string.Join(", ", ports.Select(port => port.First == port.Last ? $"{port.First}" : $"{port.First}-{port.Last}").Distinct());
        return [$"{IpProtocol.NameOf(ports.Key)} dport {{ {listed} }} "];
    }

    /// <summary>Names come from strangers: only what cannot end a comment or a line stays.</summary>
    private static string Comment(string text)
    {
        var plain = new string([.. text.Select(c => char.IsAsciiLetterOrDigit(c) || " ./-_:,=()[]*!".Contains(c, StringComparison.Ordinal) ? c : '?')]);
        return plain.Length > CommentMax ? plain[..CommentMax] : plain;
    }
}
