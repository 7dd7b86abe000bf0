namespace Flows.Transport;

/// <summary>
/// How long to wait after a failure: doubling from 0.2 s to 30 s, of which a random half is taken off, so that a fleet that lost its server
/// at one moment does not return at one moment.
/// </summary>
internal sealed class Backoff(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // A server may ask for more patience than the longest wait, but not for an outage.
    private static readonly TimeSpan AskedLongest = TimeSpan.FromMinutes(5);

    private TimeSpan next = First;

    public void Reset() => next = First;

    /// <summary>The next wait; at least as long as the server asked, where it did.</summary>
    public TimeSpan Next(TimeSpan? asked)
    {
        var wait = next * (0.5 + (random.NextDouble() / 2));
        next = next * 2 < Longest ? next * 2 : Longest;
        if (asked is { } atLeast && atLeast > wait)
        {
            // Jitter only upwards: the server meant what it said.
            wait = (atLeast < AskedLongest ? atLeast : AskedLongest) * (1 + (random.NextDouble() / 4));
        }

        return wait;
    }
}
