namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>
/// The ids of what went last, so that a late copy of an earlier event does not raise it again. Bounded: 32,768 are six minutes at 5,000
/// deletions a minute, and no server holds an event back for so long.
/// </summary>
internal sealed class Graves
{
    private const int Max = 32_768;

    private readonly HashSet<ulong> known = [];
    private readonly Queue<ulong> order = new();

    public bool Contains(ulong id) => known.Contains(id);

    public void Add(ulong id)
    {
        if (id == 0 || !known.Add(id))
        {
            return;
        }

        order.Enqueue(id);
        if (order.Count > Max)
        {
            known.Remove(order.Dequeue());
        }
    }
}
