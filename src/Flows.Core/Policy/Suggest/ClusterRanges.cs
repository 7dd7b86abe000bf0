using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>The ranges of a cluster's pods and services: as given, else the narrowest round ones around their known addresses that hold nobody else.</summary>
internal static class ClusterRanges
{
    // Of 128 bits. Pods and services live in a /16 or shorter; nothing shorter than a /8 is one cluster's.
    private static readonly (byte Longest, byte Shortest) V4 = (96 + 16, 96 + 8);
    private static readonly (byte Longest, byte Shortest) V6 = (56, 32);

    public static IReadOnlyList<NetBlock> Of(PolicyInput input, EdgeSieve sieve)
    {
        if (input.ClusterRanges.Count > 0)
        {
            return input.ClusterRanges;
        }

        List<NetBlock> pods = [];
        List<NetBlock> services = [];
        List<NetBlock> others = [];
        foreach (var entity in Ends.Of(input).DistinctBy(entity => entity.Id).Where(entity => !sieve.HasClusterAddress(entity)))
        {
            var home = sieve.Selectable(entity) ? pods : entity.Kind == EntityKind.Service ? services : others;
            home.AddRange(sieve.AddressesOf(entity));
        }

        return [.. ((List<NetBlock>[])[pods, services]).SelectMany(blocks => (NetBlock?[])[Around(blocks, true), Around(blocks, false)])
            .OfType<NetBlock>().Where(range => !others.Exists(other => range.Contains(other) || other.Contains(range))).Distinct().Order()];
    }

    private static NetBlock? Around(List<NetBlock> blocks, bool v4)
    {
        var family = blocks.Where(block => block.IsV4 == v4).ToList();
        if (family.Count < 2)
        {
            return null;
        }

        var (longest, shortest) = v4 ? V4 : V6;
        for (var length = Math.Min(longest, family.Min(block => block.PrefixLength)); length >= shortest; length--)
        {
            var range = new NetBlock(family[0].First, length);
            if (family.TrueForAll(range.Contains))
            {
                return range;
            }
        }

        return null;
    }
}
