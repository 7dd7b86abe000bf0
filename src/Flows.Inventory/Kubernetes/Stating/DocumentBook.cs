using Flows.Core;
using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Objects that are kept as JSON over the time in which they said the same.</summary>
internal sealed class DocumentBook(string cluster, NewsBuffer news) : IBook
{
    private sealed class Document : Listed
    {
        public ClusterObject? Said { get; set; }
    }

    private readonly Dictionary<ResourceKind, Known<Document>> books = new()
    {
        [ResourceKind.Namespaces] = new(),
        [ResourceKind.NetworkPolicies] = new(),
        [ResourceKind.Services] = new(),
    };

    public void See(ResourceKind resource, ObjectMeta meta, string kind, string json, bool gone, Sight sight)
    {
        var id = IdOf(meta.Uid);
        if (gone)
        {
            Drop(resource, meta.Uid, sight.AtUs);
            return;
        }

        var document = books[resource].See(id);
        var before = document.Said;
        if (before?.Json == json)
        {
            return;
        }

        Close(before, sight.AtUs);
        var fromUs = before is not null ? Math.Max(sight.AtUs, before.ValidFromUs + 1) : Math.Min(meta.CreatedUs ?? sight.AtUs, sight.AtUs);
        document.Said = new()
        {
            IntervalId = ClusterObject.IdOf(cluster, kind, meta.Uid, fromUs),
            Cluster = cluster,
            Kind = kind,
            Namespace = meta.Namespace,
            Name = meta.Name,
            Uid = meta.Uid,
            Json = json,
            ValidFromUs = fromUs,
            LearnedAtUs = news.LearnUs(sight.AtUs),
        };
        news.Add(document.Said);
    }

    /// <summary>Ends what was said about it, if anything was.</summary>
    public void Drop(ResourceKind resource, string uid, long atUs)
    {
        Close(books[resource].Find(IdOf(uid))?.Said, atUs);
        books[resource].Remove(IdOf(uid));
    }

    public void Seed(IEnumerable<ClusterObject> held)
    {
        foreach (var said in held)
        {
            ResourceKind? resource = said.Kind switch
            {
                "v1/Namespace" => ResourceKind.Namespaces,
                "networking.k8s.io/v1/NetworkPolicy" => ResourceKind.NetworkPolicies,
                "v1/Service" => ResourceKind.Services,
                _ => null,
            };
            if (resource is { } known)
            {
                books[known].Remember(IdOf(said.Uid)).Said = said;
            }
        }
    }

    public void BeginList(ResourceKind kind) => books[kind].BeginList();

    public IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs)
    {
        var vanished = books[kind].Vanished();
        foreach (var (id, document) in vanished)
        {
            Close(document.Said, atUs);
            books[kind].Remove(id);
        }

        return [.. vanished.Select(one => one.Key)];
    }

    public void Unread(ResourceKind kind, string uid) => books[kind].Unread(uid.Length > 0 ? IdOf(uid) : 0);

    public ulong IdOf(ResourceKind kind, string uid) => IdOf(uid);

    public long Count(ResourceKind kind) => books[kind].Count;

    private static ulong IdOf(string uid) => StableId.Of("document", uid);

    private void Close(ClusterObject? said, long toUs)
    {
        if (said is not null)
        {
            news.Add(said with { ValidToUs = Math.Max(toUs, said.ValidFromUs + 1), LearnedAtUs = news.LearnUs(toUs) });
        }
    }
}
