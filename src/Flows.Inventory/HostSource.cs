using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>What this machine knows about itself.</summary>
/// <param name="Name">The host's name.</param>
/// <param name="MachineId">The content of <c>/etc/machine-id</c>; empty where there is none.</param>
/// <param name="Addresses">Addresses of interfaces that are up, without loopback and link-local ones, sorted.</param>
public sealed record HostFacts(string Name, string MachineId, IReadOnlyList<NetAddress> Addresses)
{
    private const string MachineIdPath = "/etc/machine-id";

    /// <summary>Asks the system.</summary>
    public static HostFacts Read()
    {
        var addresses = NetworkInterface.GetAllNetworkInterfaces()
            .Where(one => one.NetworkInterfaceType != NetworkInterfaceType.Loopback && one.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .SelectMany(one => one.GetIPProperties().UnicastAddresses)
            .Where(one => one.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
            .Select(one => NetAddress.FromIPAddress(one.Address))
            .Where(IsUniqueInScope);
        return new(Environment.MachineName, ReadMachineId(), [.. addresses.Distinct().Order()]);
    }

    /// <summary>
    /// Loopback means "me" and link-local "someone on this wire": every machine has the same, so a statement about one of them would
    /// only make every machine's traffic ambiguous.
    /// </summary>
    internal static bool IsUniqueInScope(NetAddress address) => !Shared.Any(range => range.Contains(address));

    private static readonly AddressRange[] Shared = [.. new[] { "127.0.0.0/8", "169.254.0.0/16", "::1", "fe80::/10", "0.0.0.0", "::" }.Select(
        text => AddressRange.TryParse(text, out var range) ? range : throw new ArgumentException(text))];

    private static string ReadMachineId()
    {
        try
        {
            return File.ReadAllText(MachineIdPath).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Not every system has one; the name alone must do then.
            return "";
        }
    }
}

/// <summary>Turns what a machine knows about itself into statements for the ledger. Pure: reading is <see cref="HostFacts.Read"/>.</summary>
public static class HostSource
{
    /// <summary>The origin of statements made here.</summary>
    public const string Origin = "host";

    /// <summary>
    /// What is new: an address seen for the first time opens an interval at <paramref name="sinceUs"/>; one that is gone closes at
    /// <paramref name="nowUs"/>, since a machine is the authority on its own addresses (it may have been gone a while: the end is when we
    /// looked). An address that is still there adds nothing, however often this machine restarts.
    /// </summary>
    /// <param name="facts">This machine, now.</param>
    /// <param name="scope">The address scope in which its addresses are unique.</param>
    /// <param name="known">The ledger's statements so far.</param>
    /// <param name="sinceUs">From when on an address that was never seen before is taken as held; no later than <paramref name="nowUs"/>.</param>
    /// <param name="nowUs">The time of looking, which is when it is learned.</param>
    public static IReadOnlyList<IdentityInterval> News(HostFacts facts, string scope, IEnumerable<IdentityInterval> known, long sinceUs, long nowUs)
    {
        var host = EntityOf(facts, scope);
        var standing = known.Where(said => said.Origin == Origin && said.Entity.Id == host.Id && said.Entity.Scope == scope)
            .GroupBy(said => said.IntervalId)
            .Select(said => said.OrderBy(one => one.LearnedAtUs).Last())
            .Where(said => said is { ValidToUs: null, RevokedAtUs: null })
            .ToArray();

        var held = standing.Select(said => said.Address).ToHashSet();
        var opened = facts.Addresses.Where(address => !held.Contains(address)).Select(address => new IdentityInterval
        {
            IntervalId = IdentityInterval.IdOf(host, address, 128, Begin(address)),
            Entity = host,
            Address = address,
            ValidFromUs = Begin(address),
            LearnedAtUs = nowUs,
            Origin = Origin,
        });
        var closed = standing.Where(said => !facts.Addresses.Contains(said.Address))
            .Select(said => said with { ValidToUs = Math.Max(nowUs, said.ValidFromUs + 1), LearnedAtUs = nowUs });
        return [.. opened, .. closed];

        // An address that comes back begins anew: what was before is already told.
        long Begin(NetAddress address) => known.Any(said => said.Entity.Id == host.Id && said.Address == address) ? nowUs : Math.Min(sinceUs, nowUs);
    }

    /// <summary>
    /// The machine as an entity. machine-id(5) asks not to publish the id itself, so the uid is a hash of it; the name goes in because
    /// network namespaces and cloned disks share a machine-id.
    /// </summary>
    private static Entity EntityOf(HostFacts facts, string scope)
    {
        var uid = StableId.Of("machine", facts.MachineId, facts.Name).ToString("x16", CultureInfo.InvariantCulture);
        return new()
        {
            Id = Entity.IdOf("", EntityKind.Host, uid),
            Kind = EntityKind.Host,
            Scope = scope,
            Uid = uid,
            Name = facts.Name,
            Node = facts.Name,
        };
    }
}
