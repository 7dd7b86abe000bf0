using System.Globalization;
using Flows.Core;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>
/// The objects that were deleted last, so that a late copy of an earlier event does not raise them again. Bounded: 32,768 are six minutes at 5,000
/// deletions a minute, and no server holds an event back for so long.
/// </summary>
internal sealed class Graves
{
    private const int Max = 32_768;

    private readonly HashSet<ulong> known = [];
    private readonly Queue<ulong> order = new();

    public bool Contains((ResourceKind Kind, string Uid) one) => known.Contains(IdOf(one));

    public void Add((ResourceKind Kind, string Uid) one)
    {
        var id = IdOf(one);
        if (!known.Add(id))
        {
            return;
        }

        order.Enqueue(id);
        if (order.Count > Max)
        {
            known.Remove(order.Dequeue());
        }
    }

    private static ulong IdOf((ResourceKind Kind, string Uid) one) => StableId.Of("grave", ((int)one.Kind).ToString(CultureInfo.InvariantCulture), one.Uid);
}
