using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>An end that somebody asks about, and who it may be.</summary>
/// <param name="Entities">Everybody who goes by the text: the pods of a workload, one host, the holders of an address.</param>
internal sealed record AskedEnd(string Text, IReadOnlyList<Entity> Entities);

/// <summary>Finds who is meant by a name or an address: <c>namespace/workload</c>, <c>namespace/pod</c>, a host's or external name, or an address.</summary>
internal sealed class EndFinder(PolicyInput input)
{
    private readonly IReadOnlyList<Entity> known =
        [.. input.Edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]).Concat(input.Entities).Distinct<Entity>(ReferenceEqualityComparer.Instance)];

    /// <exception cref="FlowsException">Nobody goes by it, and it is no address.</exception>
    public AskedEnd Find(string text)
    {
        var named = Named(text).ToList();
        if (named.Count > 0)
        {
            return new AskedEnd(text, named);
        }

        return NetAddress.TryParse(text, out var address)
            ? new AskedEnd(text, Holders(address))
            : throw new FlowsException(ExitCode.Usage, $"Nobody of the store goes by '{text}'; write namespace/workload, namespace/pod, a host's name or an address.{Similar(text)}");
    }

    /// <summary>One entity for each way in which a policy may see it, latest first.</summary>
    private IEnumerable<Entity> Named(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (space, name) = slash < 0 ? ("", text) : (text[..slash], text[(slash + 1)..]);
        var all = known.Where(entity => entity.Kind is not (EntityKind.Unknown or EntityKind.Ambiguous) && entity.Namespace == space).ToList();
        var workload = slash < 0 ? [] : all.Where(entity => entity.Kind == EntityKind.Pod && SegmentKey.Of(entity, SegmentLevel.Workload).Workload == name).ToList();
        return workload.Count > 0 ? workload : all.Where(entity => entity.Name == name && entity.Kind != EntityKind.Service)
            .Concat(all.Where(entity => entity.Name == name && entity.Kind == EntityKind.Service));
    }

    private List<Entity> Holders(NetAddress address)
    {
        var one = NetBlock.Of(address);
        var exact = input.Addresses.Where(held => held.Value.Contains(one)).Select(held => held.Key).ToHashSet();
        var ids = exact.Count > 0 ? exact : input.Addresses.Where(held => held.Value.Any(range => range.Contains(one))).Select(held => held.Key).ToHashSet();
        var holders = known.Where(entity => ids.Contains(entity.Id)).ToList();
        var unknown = known.Where(entity => entity.Kind == EntityKind.Unknown && entity.Name == address.ToString()).ToList();
        return holders.Count > 0 ? holders : unknown.Count > 0 ? unknown
            : [new Entity { Id = Entity.IdOfUnknown("", address), Kind = EntityKind.Unknown, Name = address.ToString() }];
    }

    private string Similar(string text)
    {
        var tail = text[(text.LastIndexOf('/') + 1)..];
        var near = known.Where(entity => entity.Kind == EntityKind.Pod).Select(entity => SegmentKey.Of(entity, SegmentLevel.Workload))
            .Where(key => tail.Length > 0 && key.Workload.Contains(tail, StringComparison.Ordinal)).Select(key => key.ToString()).Distinct().Order(StringComparer.Ordinal).Take(3).ToList();
        return near.Count == 0 ? "" : $" Meant may be {string.Join(", ", near)}.";
    }
}
