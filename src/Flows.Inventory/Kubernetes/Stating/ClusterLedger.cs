using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Where and when something was seen.</summary>
/// <param name="AtUs">When it was observed, µs.</param>
/// <param name="Listed">In a list: whatever changed did so at some time since we last looked. Else in an event.</param>
internal readonly record struct Sight(long AtUs, bool Listed);

/// <summary>
/// What one cluster's objects say about addresses: objects in, statements out. Pure: no clock and no network; the same calls make the same
/// statements. Not for several threads.
/// </summary>
internal sealed class ClusterLedger
{
    private readonly NewsBuffer news = new();
    private readonly Graves graves = new();
    private readonly string cluster;
    private readonly OwnerBook owners;
    private readonly PodBook pods;
    private readonly AddressBook nodes;
    private readonly ServiceBook services;
    private readonly BackendBook backends;
    private readonly DocumentBook documents;

    public ClusterLedger(string cluster, string scope)
    {
        this.cluster = cluster;
        var holdings = new Holdings(news);
        owners = new();
        pods = new(cluster, scope, holdings, owners);
        owners.Changed += pods.Rename;
        nodes = new(cluster, scope, holdings, EntityKind.Node);
        documents = new(cluster, news);
        services = new(cluster, new(cluster, scope, holdings, EntityKind.Service), documents, news);
        backends = new(cluster, scope, news, pods, services);
        services.Changed += backends.Refresh;
    }

    /// <summary>Statements that wait to be taken.</summary>
    public int Pending => news.Count;

    public InventoryNews TakeNews() => news.Take();

    /// <summary>An object as it is now, or as it was last when it was deleted.</summary>
    public void Apply(ResourceKind kind, KubeObject one, bool gone, bool listed, long atUs)
    {
        var id = BookOf(kind).IdOf(kind, one.Meta.Uid);
        if (!listed && graves.Contains(id))
        {
            // An event that comes after the object's end is a late copy of an earlier one: a uid is never used again.
            return;
        }

        var sight = new Sight(atUs, listed);
        if (gone)
        {
            graves.Add(id);
        }

        switch (one)
        {
            case PodObject pod:
                pods.See(pod, gone, sight);
                break;
            case NodeObject node:
                nodes.See(node, node.Addresses, LabelDictionary.Empty, gone, sight);
                break;
            case ServiceObject service:
                services.See(service, gone, sight);
                break;
            case SliceObject slice:
                backends.See(slice, gone, sight);
                break;
            case OwnerObject owner:
                owners.See(kind, owner, gone, sight);
                break;
            case WorkloadObject workload:
                owners.See(kind, workload, gone, sight);
                break;
            case DocumentObject document:
                documents.See(kind, document.Meta, document.Kind, document.Json, gone, sight);
                break;
        }
    }

    /// <summary>A list begins; nothing changes until it ends, apart from what it brings.</summary>
    public void BeginList(ResourceKind kind) => BookOf(kind).BeginList(kind);

    /// <summary>The list was read to its end: what it did not bring is gone.</summary>
    /// <param name="kind">Of what.</param>
    /// <param name="atUs">The moment that the list shows, or a little later.</param>
    public void EndList(ResourceKind kind, long atUs)
    {
        foreach (var gone in BookOf(kind).EndList(kind, atUs))
        {
            graves.Add(gone);
        }
    }

    /// <summary>There is an object that could not be read: it keeps what it had. Without a uid, nothing at all is taken for gone.</summary>
    public void Unread(ResourceKind kind, string uid) => BookOf(kind).Unread(kind, uid);

    /// <summary>Objects known now.</summary>
    public long Count(ResourceKind kind) => BookOf(kind).Count(kind);

    /// <summary>See <see cref="KubernetesSource.Seed"/>.</summary>
    public void Seed(InventoryNews held)
    {
        var ours = held.Identities.Where(said => said.Origin == Origins.Kubernetes && said.Entity.Cluster == cluster).ToArray();
        pods.HeardUntilUs = ours.Select(said => said.LearnedAtUs).DefaultIfEmpty(0).Max();
        foreach (var said in ours.Where(said => said is { ValidToUs: null, RevokedAtUs: null }))
        {
            Holder? holder = said.Entity.Kind switch
            {
                EntityKind.Pod => pods.Remember(said.Entity),
                EntityKind.Node => nodes.Remember(said.Entity.Id),
                EntityKind.Service => services.Remember(said.Entity),
                _ => null,
            };
            if (holder is not null)
            {
                holder.Entity = said.Entity with
                {
                    Labels = LabelDictionary.Of(said.Entity.Labels),
                    Selector = LabelDictionary.Of(said.Entity.Selector),
                    Ports = LabelDictionary.Of(said.Entity.Ports),
                };
                holder.Open = [.. holder.Open, new(said.Address, said.ValidFromUs, said.IntervalId)];
                holder.WasOpen = true;
            }
        }

        services.Seed(held.ServicePorts.Where(said => said.ValidToUs is null));
        backends.Seed(held.Backends.Where(said => said.ValidToUs is null));
        documents.Seed(held.Objects.Where(said => said.Cluster == cluster && said.ValidToUs is null));
    }

    private IBook BookOf(ResourceKind kind) => kind switch
    {
        ResourceKind.Pods => pods,
        ResourceKind.Nodes => nodes,
        ResourceKind.Services => services,
        ResourceKind.EndpointSlices => backends,
        ResourceKind.Namespaces or ResourceKind.NetworkPolicies => documents,
        _ => owners,
    };
}
