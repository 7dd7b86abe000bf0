using System.Globalization;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Inventory.Host;

/// <summary>
/// Turns what nodes say of themselves into statements of the ledger: an interval per address, opened when a node first has it and closed when it no longer does.
/// A node speaks about itself only: which entity it is follows from the node and scope of the report that carries the fact, never from the fact. An address
/// that two nodes claim is ambiguous, and counted. Not thread safe; the sealing loop owns it.
/// </summary>
public sealed class HostBook
{
    private const int HostsMax = 65_536;

    // Twice every address of the largest host and then some; a node that changes more within an hour is broken or worse, and would fill the ledger.
    private const int StatementsPerHourMax = 4096;
    private const long HourUs = 60 * UnixTime.Minute;

    // Without news for longer than this, nobody saw when an address went. A node at rest repeats itself every five minutes.
    private const long WatchedUs = 6 * UnixTime.Minute;

    private readonly Dictionary<(string Scope, string Node), Known> hosts = [];
    private readonly Dictionary<(string Scope, NetAddress Address), SortedSet<string>> claims = [];

    /// <param name="said">What the ledger was ever told with the origin <see cref="Origins.Host"/>.</param>
    public HostBook(IEnumerable<IdentityInterval> said)
    {
        foreach (var last in said.GroupBy(one => one.IntervalId).Select(one => one.MaxBy(statement => statement.LearnedAtUs)!).Where(last => last.RevokedAtUs is null))
        {
            var host = HostOf(last.Entity.Scope, last.Entity.Node);
            host.AtUs = Math.Max(host.AtUs, last.ValidToUs ?? last.ValidFromUs);
            if (last.ValidToUs is null)
            {
                host.Standing[last.Address] = last;
                Claim(last);
            }
        }
    }

    /// <summary>What stands about one node.</summary>
    private sealed class Known
    {
        public Dictionary<NetAddress, IdentityInterval> Standing { get; } = [];

        /// <summary>Of the last fact: an address that it did not hold cannot have been held before it.</summary>
        public long AtUs { get; set; }

        public long HourBeganUs { get; set; }

        public int StatementsOfHour { get; set; }
    }

    /// <summary>
    /// The hop <c>hosts</c> in addresses of facts: seen = forwarded (stated or standing) + dropped{not_unique, too_many_hosts, churn, stale}.
    /// </summary>
    public HopAccount Account { get; } = new("hosts", "addresses");

    /// <summary>Addresses that several nodes claim at this time.</summary>
    public int Contested { get; private set; }

    /// <summary>One of them, in a sentence; null where there is none.</summary>
    public string? ContestedExample => claims.Where(one => one.Value.Count > 1).Select(one => (string?)
        $"{one.Key.Address} in scope {VisibleText.Of(one.Key.Scope)} by {string.Join(" and ", one.Value.Take(3).Select(VisibleText.Of))}").FirstOrDefault();

    /// <summary>What the fact says that does not stand already.</summary>
    /// <param name="scope">The scope of the report that carries the fact.</param>
    /// <param name="node">Its node.</param>
    /// <param name="fact">Checked for its form and its bounds, not for its truth.</param>
    /// <param name="nowUs">When it is learned; nothing is taken to have happened later.</param>
    public IReadOnlyList<IdentityInterval> Take(string scope, string node, HostFact fact, long nowUs)
    {
        Account.Seen(fact.Addresses.Count);
        if (!hosts.ContainsKey((scope, node)) && hosts.Count >= HostsMax)
        {
            Account.Dropped("too_many_hosts", fact.Addresses.Count);
            return [];
        }

        var host = HostOf(scope, node);
        var atUs = Math.Min(fact.AtUs, nowUs);
        if (atUs < host.AtUs)
        {
            Account.Dropped("stale", fact.Addresses.Count);
            return [];
        }

        var entity = EntityOf(scope, node, fact);
        var addresses = fact.Addresses.Select(one => (Address: NetAddress.Parse(one.Address), one.SinceUs)).Where(one => SharedAddresses.IsUniqueInScope(one.Address))
            .GroupBy(one => one.Address).ToDictionary(one => one.Key, one => one.Min(same => same.SinceUs));
        Account.Dropped("not_unique", fact.Addresses.Count - addresses.Count);
        var news = News(host, entity, addresses, atUs, nowUs);
        if (!HasRoom(host, news.Count, nowUs))
        {
            Account.Dropped("churn", addresses.Count);
            return [];
        }

        Account.Forwarded(addresses.Count);
        host.AtUs = atUs;
        foreach (var said in news)
        {
            Stand(host, said);
        }

        return news;
    }

    private static List<IdentityInterval> News(Known host, Entity entity, Dictionary<NetAddress, long> addresses, long atUs, long nowUs)
    {
        var news = new List<IdentityInterval>();
        foreach (var said in host.Standing.Values)
        {
            if (!addresses.ContainsKey(said.Address) || said.Entity.Id != entity.Id)
            {
                news.Add(said with { ValidToUs = Math.Max(atUs, said.ValidFromUs + 1), EndUncertain = atUs - host.AtUs > WatchedUs, LearnedAtUs = Later(said, nowUs) });
            }
            else if (!SameText(said.Entity, entity))
            {
                news.Add(said with { Entity = entity, LearnedAtUs = Later(said, nowUs) });
            }
        }

        foreach (var (address, sinceUs) in addresses)
        {
            var stands = host.Standing.TryGetValue(address, out var said);
            if (!stands || said!.Entity.Id != entity.Id)
            {
                var from = stands ? Math.Max(atUs, said!.ValidFromUs + 1) : Math.Min(Math.Max(sinceUs, host.AtUs), atUs);
                news.Add(new IdentityInterval
                {
                    IntervalId = IdentityInterval.IdOf(entity, address, 128, from),
                    Entity = entity,
                    Address = address,
                    ValidFromUs = from,
                    LearnedAtUs = nowUs,
                    Origin = Origins.Host,
                });
            }
        }

        return news;
    }

    private void Stand(Known host, IdentityInterval said)
    {
        if (said.ValidToUs is null)
        {
            host.Standing[said.Address] = said;
            Claim(said);
        }
        else
        {
            host.Standing.Remove(said.Address);
            if (claims.TryGetValue((said.Entity.Scope, said.Address), out var nodes) && nodes.Remove(said.Entity.Node))
            {
                Contested -= nodes.Count == 1 ? 1 : 0;
                if (nodes.Count == 0)
                {
                    claims.Remove((said.Entity.Scope, said.Address));
                }
            }
        }
    }

    private void Claim(IdentityInterval said)
    {
        if (!claims.TryGetValue((said.Entity.Scope, said.Address), out var nodes))
        {
            claims.Add((said.Entity.Scope, said.Address), nodes = new(StringComparer.Ordinal));
        }

        if (nodes.Add(said.Entity.Node) && nodes.Count == 2)
        {
            Contested++;
        }
    }

    private static bool HasRoom(Known host, int statements, long nowUs)
    {
        if (nowUs - host.HourBeganUs >= HourUs)
        {
            (host.HourBeganUs, host.StatementsOfHour) = (nowUs, 0);
        }

        host.StatementsOfHour += statements;
        return host.StatementsOfHour <= StatementsPerHourMax;
    }

    private Known HostOf(string scope, string node)
    {
        if (!hosts.TryGetValue((scope, node), out var host))
        {
            hosts.Add((scope, node), host = new Known());
        }

        return host;
    }

    /// <summary>
    /// The machine as an entity. Node and scope go into the uid because network namespaces and cloned disks share a machine id, and so that no node can
    /// name another's.
    /// </summary>
    private static Entity EntityOf(string scope, string node, HostFact fact)
    {
        var uid = StableId.Of("machine", fact.Machine, scope, node).ToString("x16", CultureInfo.InvariantCulture);
        var kind = fact.Kind == "vm" ? EntityKind.Vm : EntityKind.Host;
        var labels = new SortedDictionary<string, string>(fact.Labels.ToDictionary(), StringComparer.Ordinal);
        foreach (var (name, text) in fact.Facts)
        {
            labels[HostFact.FactPrefix + name] = text;
        }

        return new() { Id = Entity.IdOf("", kind, uid), Kind = kind, Scope = scope, Uid = uid, Name = node, Node = node, Labels = labels };
    }

    private static long Later(IdentityInterval said, long nowUs) => Math.Max(nowUs, said.LearnedAtUs + 1);

    private static bool SameText(Entity x, Entity y) => x.Name == y.Name && x.Labels.Count == y.Labels.Count
        && x.Labels.All(label => y.Labels.TryGetValue(label.Key, out var text) && text == label.Value);
}
