namespace Flows.Core.Identity;

/// <summary>
/// Makes equal texts and equal label sets of many entities one object each: names of namespaces, workloads and nodes repeat a thousandfold.
/// What is an entity's own (uid and name) stays as it came. Not thread safe; it only grows, so its owner begins a new one from time to time.
/// </summary>
public sealed class EntityPool
{
    private readonly Dictionary<string, string> texts;
    private readonly Dictionary<LabelDictionary, LabelDictionary> labels;

    /// <param name="before">The pool that it replaces, and will be about as large as; null for an empty one.</param>
    public EntityPool(EntityPool? before = null)
    {
        texts = new(before?.texts.Count ?? 0, StringComparer.Ordinal);
        labels = new(before?.labels.Count ?? 0);
    }

    /// <summary>An equal entity that shares what is common; the same object where it does already.</summary>
    public Entity Share(Entity entity)
    {
        var (all, selector, ports) = (Share(entity.Labels), Share(entity.Selector), Share(entity.Ports));
        var (scope, cluster, @namespace) = (Share(entity.Scope), Share(entity.Cluster), Share(entity.Namespace));
        var (kind, workload, node) = (Share(entity.WorkloadKind), Share(entity.Workload), Share(entity.Node));
        return ReferenceEquals(all, entity.Labels) && ReferenceEquals(selector, entity.Selector) && ReferenceEquals(ports, entity.Ports) && ReferenceEquals(scope, entity.Scope)
            && ReferenceEquals(cluster, entity.Cluster) && ReferenceEquals(@namespace, entity.Namespace) && ReferenceEquals(kind, entity.WorkloadKind)
            && ReferenceEquals(workload, entity.Workload) && ReferenceEquals(node, entity.Node)
            ? entity
            : entity with
            {
                Scope = scope,
                Cluster = cluster,
                Namespace = @namespace,
                WorkloadKind = kind,
                Workload = workload,
                Node = node,
                Labels = all,
                Selector = selector,
                Ports = ports,
            };
    }

    public string Share(string text)
    {
        if (text.Length == 0)
        {
            return "";
        }

        return texts.TryGetValue(text, out var known) ? known : texts[text] = text;
    }

    public LabelDictionary Share(IReadOnlyDictionary<string, string> map)
    {
        var flat = LabelDictionary.Of(map);
        return labels.TryGetValue(flat, out var known) ? known : labels[flat] = flat.With(Share);
    }
}
