using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Which pod held which address from when to when. Keyed by uid, so a successor of the same name is another pod.</summary>
internal sealed class PodBook(string cluster, string scope, Holdings holdings, OwnerBook owners) : IBook
{
    private sealed class PodHolder : Holder
    {
        public OwnerRef? Owner { get; set; }

        public bool IsStatic { get; set; }

        /// <summary>Its containers are gone for good; no event makes it live again.</summary>
        public bool IsOver { get; set; }

        /// <summary>Keys of owners that are not known yet.</summary>
        public ulong[] Waits { get; set; } = [];
    }

    private readonly Known<PodHolder> known = new();
    private readonly Dictionary<ulong, HashSet<ulong>> waiting = [];
    private readonly List<ulong> waits = [];

    /// <summary>How far the store had heard when we began: pods that ended before were told then.</summary>
    public long HeardUntilUs { get; set; }

    public void See(PodObject pod, bool gone, Sight sight)
    {
        var id = IdOf(ResourceKind.Pods, pod.Meta.Uid);
        var holder = known.See(id);
        if (!holder.IsOver)
        {
            (holder.Owner, holder.IsStatic) = (pod.Meta.Owner, IsMirror(pod.Meta));
            if (gone || IsOver(pod))
            {
                End(id, holder, pod, gone, sight);
            }
            else if (pod.Addresses.Count > 0 || holder.Open.Length > 0)
            {
                // The address can be missing for a moment; the pod has it until it ends.
                NetAddress[] addresses = pod.Addresses.Count > 0 ? [.. pod.Addresses] : [.. holder.Open.Select(one => one.Address)];
                holdings.Hold(holder, EntityOf(id, holder, pod), addresses, StartOf(pod, sight.AtUs), sight.AtUs, witnessed: !sight.Listed);
            }
        }

        if (gone)
        {
            Forget(id, holder);
        }
    }

    /// <summary>An owner became known: what was said of the pods that waited for it may need correction.</summary>
    public void Rename(ulong owner, Sight sight)
    {
        if (!waiting.Remove(owner, out var pods))
        {
            return;
        }

        foreach (var id in pods)
        {
            if (known.Find(id) is { Entity: { } entity } holder)
            {
                var facts = new PodFacts(entity.Namespace, entity.Name, (LabelDictionary)entity.Labels, holder.Owner, holder.IsStatic);
                var workload = WorkloadOf(id, holder, facts, entity.Node);
                holdings.Correct(holder, entity with { WorkloadKind = workload.Kind, Workload = workload.Name, Selector = workload.Selector }, sight.AtUs);
            }
        }
    }

    /// <summary>Since when the pod holds something, µs; null where it holds nothing.</summary>
    public long? HoldsSince(ulong id) => known.Find(id) is { Open: [var first, ..] } ? first.FromUs : null;

    public Holder Remember(Entity pod) => known.Remember(pod.Id);

    public void BeginList(ResourceKind kind) => known.BeginList();

    public IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs)
    {
        var vanished = known.Vanished();
        foreach (var (id, holder) in vanished)
        {
            holdings.Close(holder, atUs, atUs, uncertain: true);
            Forget(id, holder);
        }

        return [.. vanished.Select(one => one.Key)];
    }

    public void Unread(ResourceKind kind, string uid) => known.Unread(uid.Length > 0 ? IdOf(kind, uid) : 0);

    public ulong IdOf(ResourceKind kind, string uid) => Entity.IdOf(cluster, EntityKind.Pod, uid);

    public long Count(ResourceKind kind) => known.Count;

    private static bool IsMirror(ObjectMeta meta) => meta.Annotations.ContainsKey(MetaReader.StaticPod) || meta.Owner is { Kind: "Node" };

    /// <summary>
    /// Phase tells; before it does, containers that all ended and will not be started again. Those of a policy that restarts them are only between two runs,
    /// and the pod keeps its address.
    /// </summary>
    private static bool IsOver(PodObject pod) => IsFinal(pod) || (pod.AllTerminated && (pod.Meta.Deleting || pod.RestartPolicy is "Never" or ""));

    private static bool IsFinal(PodObject pod) => pod.Phase is "Succeeded" or "Failed";

    /// <summary>When the kubelet took it up: it can have sent nothing before, and its address may be older than our knowledge of it.</summary>
    private static long StartOf(PodObject pod, long nowUs) =>
        Math.Max(pod.StartedUs ?? 0, pod.Meta.CreatedUs ?? 0) is var start and > 0 ? Math.Min(start, nowUs) : nowUs;

    private void End(ulong id, PodHolder holder, PodObject pod, bool gone, Sight sight)
    {
        // Times of the API are cut to seconds: the last container ended somewhere in that second, and no later than we saw it.
        var finishedUs = IsOver(pod) ? pod.FinishedUs : null;
        long? toUs = finishedUs is { } at ? Math.Clamp(sight.AtUs, at, at + UnixTime.Second) : sight.AtUs;
        var uncertain = finishedUs is null && sight.Listed;
        if (holder.Open.Length > 0)
        {
            holdings.Close(holder, toUs.Value, sight.AtUs, uncertain);
        }
        else if (!holder.WasOpen)
        {
            // Found ended. Without an end of its containers the last change of a condition is the nearest to it; without that, nothing is known.
            toUs = !uncertain ? toUs : pod.LastConditionUs + UnixTime.Second;
            if (toUs > (sight.Listed ? HeardUntilUs : 0))
            {
                var entity = EntityOf(id, holder, pod);
                foreach (var address in pod.Addresses)
                {
                    holdings.Tell(entity, address, StartOf(pod, sight.AtUs), toUs.Value, sight.AtUs, uncertain);
                }
            }
        }

        holder.WasOpen = true;
        if (gone || IsFinal(pod) || pod.Meta.Deleting)
        {
            StopWaiting(id, holder);
            (holder.IsOver, holder.Entity, holder.Owner) = (true, null, null);
        }
    }

    private Entity EntityOf(ulong id, PodHolder holder, PodObject pod)
    {
        var meta = pod.Meta;
        var node = pod.Node.Length > 0 ? pod.Node : holder.Entity?.Node ?? "";
        var workload = WorkloadOf(id, holder, new(meta.Namespace, meta.Name, meta.Labels, meta.Owner, holder.IsStatic), node);
        return new()
        {
            Id = id,
            Kind = EntityKind.Pod,
            Scope = scope,
            Cluster = cluster,
            Namespace = meta.Namespace,
            Uid = meta.Uid,

            // The same text as before, where there was one: a hundred thousand of them are kept.
            Name = holder.Entity?.Name ?? meta.Name,
            WorkloadKind = workload.Kind,
            Workload = workload.Name,
            Node = node,
            HostNetwork = pod.HostNetwork,
            Labels = meta.Labels,
            Selector = workload.Selector,
            Ports = pod.Ports,
        };
    }

    private Workload WorkloadOf(ulong id, PodHolder holder, PodFacts facts, string node)
    {
        StopWaiting(id, holder);
        waits.Clear();
        var workload = owners.Of(facts, node, waits);
        holder.Waits = waits.Count == 0 ? [] : [.. waits];
        foreach (var key in waits)
        {
            (waiting.TryGetValue(key, out var pods) ? pods : waiting[key] = []).Add(id);
        }

        return workload;
    }

    private void StopWaiting(ulong id, PodHolder holder)
    {
        foreach (var key in holder.Waits)
        {
            if (waiting.TryGetValue(key, out var pods) && pods.Remove(id) && pods.Count == 0)
            {
                waiting.Remove(key);
            }
        }

        holder.Waits = [];
    }

    private void Forget(ulong id, PodHolder holder)
    {
        StopWaiting(id, holder);
        known.Remove(id);
    }
}
