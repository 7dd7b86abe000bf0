using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Link-local addresses that mean the same on every machine of a cloud or cluster.</summary>
internal static class WellKnownAddresses
{
    /// <summary>Where clouds tell a machine about itself, and hand it credentials.</summary>
    public static IReadOnlyList<NetBlock> Metadata { get; } = [Of("169.254.169.254"), Of("fd00:ec2::254")];

    /// <summary>Where node-local-dns listens on each node.</summary>
    public static IReadOnlyList<NetBlock> NodeResolver { get; } = [Of("169.254.20.10")];

    public static bool Holds(NetBlock range) => Metadata.Contains(range) || NodeResolver.Contains(range);

    private static NetBlock Of(string address) => NetBlock.Of(NetAddress.Parse(address));
}
