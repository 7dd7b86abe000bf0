namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>Pauses that double with every fault in a row. Half of each is random, so that watchers of a server that comes back do not come together.</summary>
internal sealed class Backoff(TimeSpan min, TimeSpan max, Random random)
{
    private int faults;

    public void Reset() => faults = 0;

    /// <summary>The next pause; at least what the server asked for, but never more than twice the longest.</summary>
    public TimeSpan Next(TimeSpan? asked = null)
    {
        // 2^20 pauses of a second are beyond any limit; more would overflow.
        var full = Math.Min(min.TotalMilliseconds * Math.Pow(2, Math.Min(faults++, 20)), max.TotalMilliseconds);
        var pause = TimeSpan.FromMilliseconds((full / 2) + (random.NextDouble() * full / 2));
        return asked > pause ? TimeSpan.FromTicks(Math.Min(asked.Value.Ticks, 2 * max.Ticks)) : pause;
    }
}
