using System.Runtime.InteropServices;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>What of one resource is known, and which of it the last list brought.</summary>
/// <typeparam name="T">What is kept of each.</typeparam>
internal sealed class Known<T> where T : Listed, new()
{
    private readonly Dictionary<ulong, T> all = [];
    private int number;
    private bool incomplete;

    public int Count => all.Count;

    public T? Find(ulong id) => all.GetValueOrDefault(id);

    /// <summary>The one with this id, made if it is new; it counts as listed.</summary>
    public T See(ulong id)
    {
        ref var one = ref CollectionsMarshal.GetValueRefOrAddDefault(all, id, out _);
        one ??= new();
        one.InList = number;
        return one;
    }

    /// <summary>The one with this id, made if it is new, from what was known in an earlier life; the first list must still bring it.</summary>
    public T Remember(ulong id)
    {
        ref var one = ref CollectionsMarshal.GetValueRefOrAddDefault(all, id, out _);
        return one ??= new() { InList = -1 };
    }

    public void Remove(ulong id) => all.Remove(id);

    public void BeginList()
    {
        number++;
        incomplete = false;
    }

    /// <summary>One that is there but could not be read; 0 where not even its id could.</summary>
    public void Unread(ulong id)
    {
        if (id != 0 && all.TryGetValue(id, out var one))
        {
            one.InList = number;
        }

        incomplete |= id == 0;
    }

    /// <summary>What the list that just ended did not bring. Nothing where the list held something nameless: it could be any of them.</summary>
    public IReadOnlyList<KeyValuePair<ulong, T>> Vanished() => incomplete ? [] : [.. all.Where(one => one.Value.InList != number)];
}

/// <summary>Something that lists bring.</summary>
internal abstract class Listed
{
    /// <summary>The number of the list that brought it last.</summary>
    public int InList { get; set; }
}
