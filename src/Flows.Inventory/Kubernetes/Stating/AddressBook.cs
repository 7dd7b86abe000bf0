using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Which node or service held which address: they hold what their object says, from their creation to their deletion.</summary>
internal sealed class AddressBook(string cluster, string scope, Holdings holdings, EntityKind kind) : IBook
{
    private sealed class PlainHolder : Holder;

    private readonly Known<PlainHolder> known = new();

    public string Scope => scope;

    public void See(KubeObject one, IReadOnlyList<NetAddress> addresses, LabelDictionary selector, bool gone, Sight sight)
    {
        var id = Entity.IdOf(cluster, kind, one.Meta.Uid);
        var holder = known.See(id);
        if (gone)
        {
            holdings.Close(holder, sight.AtUs, sight.AtUs, uncertain: false);
            known.Remove(id);
            return;
        }

        if (addresses.Count == 0 && kind == EntityKind.Node)
        {
            // A node that reports nothing for a moment is still where it was.
            addresses = [.. holder.Open.Select(open => open.Address)];
        }

        var fromUs = Math.Min(one.Meta.CreatedUs ?? sight.AtUs, sight.AtUs);
        holdings.Hold(holder, EntityOf(id, one.Meta, selector), addresses, fromUs, sight.AtUs, witnessed: !sight.Listed);
    }

    public Holder Remember(ulong id) => known.Remember(id);

    public void BeginList(ResourceKind resource) => known.BeginList();

    public IReadOnlyList<ulong> EndList(ResourceKind resource, long atUs)
    {
        var vanished = known.Vanished();
        foreach (var (id, holder) in vanished)
        {
            holdings.Close(holder, atUs, atUs, uncertain: true);
            known.Remove(id);
        }

        return [.. vanished.Select(one => one.Key)];
    }

    public void Unread(ResourceKind resource, string uid) => known.Unread(uid.Length > 0 ? IdOf(resource, uid) : 0);

    public ulong IdOf(ResourceKind resource, string uid) => Entity.IdOf(cluster, kind, uid);

    public long Count(ResourceKind resource) => known.Count;

    private Entity EntityOf(ulong id, ObjectMeta meta, LabelDictionary selector) => new()
    {
        Id = id,
        Kind = kind,
        Scope = scope,
        Cluster = cluster,
        Namespace = meta.Namespace,
        Uid = meta.Uid,
        Name = meta.Name,
        Node = kind == EntityKind.Node ? meta.Name : "",
        Labels = meta.Labels,
        Selector = selector,
    };
}
