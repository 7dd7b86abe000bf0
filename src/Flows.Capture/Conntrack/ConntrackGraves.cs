namespace Flows.Capture.Conntrack;

/// <summary>
/// Remembers the entries that ended lately, so that neither a dump answer that was on its way (it raises the dead) nor a DESTROY that the
/// kernel repeats, because another listener missed it, makes a second connection of one. Bounded: the oldest makes room.
/// </summary>
internal sealed class ConntrackGraves
{
    // A dump answer is at most one receive buffer older than the events read before it, some hundred events; this is far more.
    private const int Capacity = 16_384;

    private readonly Dictionary<ConntrackKey, Grave> byKey = new(Capacity);
    private readonly ConntrackKey[] ring = new ConntrackKey[Capacity];
    private long buried;

    public void Bury(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        var slot = buried % Capacity;
        if (buried >= Capacity && byKey.TryGetValue(ring[slot], out var old) && old.Number == buried - Capacity)
        {
            byKey.Remove(ring[slot]);
        }

        ring[slot] = key;
        byKey[key] = new Grave(message.Id, message.StartNs, message.Counters, timeUs, buried);
        buried++;
    }

    /// <summary>The entry was destroyed at or after <paramref name="sinceUs"/>.</summary>
    public bool Holds(in ConntrackKey key, uint id, long sinceUs) =>
        byKey.TryGetValue(key, out var grave) && grave.Id == id && grave.TimeUs >= sinceUs;

    /// <summary>This very DESTROY was seen before, at or after <paramref name="sinceUs"/>.</summary>
    public bool HoldsSame(in ConntrackKey key, in ConntrackMessage message, long sinceUs) =>
        Holds(in key, message.Id, sinceUs) && byKey[key].StartNs == message.StartNs && byKey[key].Counters == message.Counters;

    /// <summary>The tuple lives again.</summary>
    public void Forget(in ConntrackKey key) => byKey.Remove(key);

    private readonly record struct Grave(uint Id, ulong StartNs, ConntrackCounters Counters, long TimeUs, long Number);
}
