using Flows.Core.Identity;
using Flows.Core;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>What owns pods in the end.</summary>
/// <param name="Kind">Deployment, StatefulSet, DaemonSet, CronJob, Job, StaticPod, or what a custom controller calls it; empty for a bare pod.</param>
/// <param name="Name">Its name.</param>
/// <param name="Selector">Its <c>matchLabels</c>, where known.</param>
internal readonly record struct Workload(string Kind, string Name, LabelDictionary Selector);

/// <summary>Who owns ReplicaSets and Jobs, and whom Deployments, StatefulSets and DaemonSets select.</summary>
internal sealed class OwnerBook : IBook
{
    private const string HashLabel = "pod-template-hash";

    private sealed class Owned : Listed
    {
        /// <summary>Of those that are kept by name.</summary>
        public string Uid { get; set; } = "";

        public OwnerRef? Owner { get; set; }

        public LabelDictionary Selector { get; set; } = LabelDictionary.Empty;
    }

    private readonly Dictionary<ResourceKind, Known<Owned>> books = new()
    {
        [ResourceKind.ReplicaSets] = new(),
        [ResourceKind.Jobs] = new(),
        [ResourceKind.Deployments] = new(),
        [ResourceKind.StatefulSets] = new(),
        [ResourceKind.DaemonSets] = new(),
    };

    /// <summary>Told the key and the time when something became known or changed.</summary>
    public event Action<ulong, Sight>? Changed;

    public void See(ResourceKind kind, OwnerObject one, bool gone, Sight sight) =>
        See(kind, IdOf(kind, one.Meta.Uid), one.Meta, LabelDictionary.Empty, gone, sight);

    public void See(ResourceKind kind, WorkloadObject one, bool gone, Sight sight) =>
        See(kind, KeyOf(kind, $"{one.Meta.Namespace}/{one.Meta.Name}"), one.Meta, one.Selector, gone, sight);

    /// <summary>What owns a pod, as far as is known, and under which keys more may become known.</summary>
    /// <param name="pod">The pod's metadata.</param>
    /// <param name="node">Where it runs.</param>
    /// <param name="waits">Takes the keys that are missing.</param>
    public Workload Of(PodFacts pod, string node, List<ulong> waits)
    {
        if (pod.IsStatic)
        {
            // The kubelet appends its node's name, which makes the pods of one manifest on many nodes one workload.
            var suffix = $"-{node}";
            return new("StaticPod", pod.Name.EndsWith(suffix, StringComparison.Ordinal) ? pod.Name[..^suffix.Length] : pod.Name, LabelDictionary.Empty);
        }

        return pod.Owner switch
        {
            null => new("", "", LabelDictionary.Empty),
            { Kind: "ReplicaSet" } set => Above(ResourceKind.ReplicaSets, set, pod, ByHash(set, pod.Labels), waits),
            { Kind: "Job" } job => Above(ResourceKind.Jobs, job, pod, job, waits),
            { } owner => Selected(owner, pod.Namespace, waits),
        };
    }

    public void BeginList(ResourceKind kind) => books[kind].BeginList();

    public IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs)
    {
        var vanished = books[kind].Vanished();
        foreach (var (id, _) in vanished)
        {
            books[kind].Remove(id);
        }

        return kind is ResourceKind.ReplicaSets or ResourceKind.Jobs ? [.. vanished.Select(one => one.Key)] : [];
    }

    public void Unread(ResourceKind kind, string uid) => books[kind].Unread(uid.Length > 0 ? IdOf(kind, uid) : 0);

    /// <summary>Workloads are kept by name, which the successor of one has too: their uid leads nowhere.</summary>
    public ulong IdOf(ResourceKind kind, string uid) => kind is ResourceKind.ReplicaSets or ResourceKind.Jobs ? KeyOf(kind, StableId.Part(OwnerRef.Hash(uid))) : 0;

    public long Count(ResourceKind kind) => books[kind].Count;

    private static ulong KeyOf(ResourceKind kind, string name) => StableId.Of("owner", kind.ToString(), name);

    private void See(ResourceKind kind, ulong key, ObjectMeta meta, LabelDictionary selector, bool gone, Sight sight)
    {
        var book = books[kind];
        if (gone)
        {
            // A successor of the same name may be there already.
            if (book.Find(key) is { } known && (known.Uid.Length == 0 || known.Uid == meta.Uid))
            {
                book.Remove(key);
            }

            return;
        }

        var one = book.See(key);
        (one.Uid, one.Owner, one.Selector) = (IdOf(kind, meta.Uid) == 0 ? meta.Uid : "", meta.Owner, selector);
        Changed?.Invoke(key, sight);
    }

    private Workload Above(ResourceKind kind, OwnerRef owner, PodFacts pod, OwnerRef meanwhile, List<ulong> waits)
    {
        var key = KeyOf(kind, StableId.Part(owner.UidHash));
        if (books[kind].Find(key) is { } known)
        {
            return Selected(known.Owner ?? owner, pod.Namespace, waits);
        }

        waits.Add(key);
        return Selected(meanwhile, pod.Namespace, waits);
    }

    /// <summary>A Deployment's ReplicaSets are called after it and the hash of their pods' label, as the documentation says.</summary>
    private static OwnerRef ByHash(OwnerRef set, LabelDictionary labels) =>
        labels.TryGetValue(HashLabel, out var hash) && hash.Length > 0 && set.Name.Length > hash.Length + 1 && set.Name.EndsWith($"-{hash}", StringComparison.Ordinal)
            ? new("Deployment", set.Name[..^(hash.Length + 1)], UidHash: 0)
            : set;

    private Workload Selected(OwnerRef owner, string @namespace, List<ulong> waits)
    {
        ResourceKind? kind = owner.Kind switch
        {
            "Deployment" => ResourceKind.Deployments,
            "StatefulSet" => ResourceKind.StatefulSets,
            "DaemonSet" => ResourceKind.DaemonSets,
            _ => null,
        };
        if (kind is null)
        {
            return new(owner.Kind, owner.Name, LabelDictionary.Empty);
        }

        var key = KeyOf(kind.Value, $"{@namespace}/{owner.Name}");
        if (books[kind.Value].Find(key) is { } known)
        {
            return new(owner.Kind, owner.Name, known.Selector);
        }

        waits.Add(key);
        return new(owner.Kind, owner.Name, LabelDictionary.Empty);
    }
}

/// <summary>What of a pod tells who owns it.</summary>
internal readonly record struct PodFacts(string Namespace, string Name, LabelDictionary Labels, OwnerRef? Owner, bool IsStatic);
