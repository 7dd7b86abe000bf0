namespace Flows.Capture.Owners;

/// <summary>
/// Keeps a thread's processor time below a share of one core: a bucket that fills with time and empties with use. The thread that works calls
/// <see cref="Spend"/>; anyone may ask whether it is <see cref="IsExhausted"/>.
/// </summary>
/// <param name="share">Share of one core in the long run, above 0 and at most 1.</param>
/// <param name="burst">Processor time that may be used at once after a quiet time.</param>
/// <param name="time">Fills the bucket.</param>
internal sealed class CpuBudget(double share, TimeSpan burst, TimeProvider time)
{
    // Work begins again when a tenth is there, so that a flood costs long pauses and not a switch per packet.
    private const int ResumeDivisor = 10;

    private readonly TimeSpan full = burst;
    private TimeSpan left = burst;
    private long filledAt = time.GetTimestamp();
    private bool exhausted;

    public bool IsExhausted => Volatile.Read(ref exhausted);

    /// <summary>Takes off what was used since the last call and adds what time has brought.</summary>
    public void Spend(TimeSpan used)
    {
        var now = time.GetTimestamp();
        var gained = time.GetElapsedTime(filledAt, now) * share;
        filledAt = now;
        left = left + gained - used;
        left = left > full ? full : left;
        if (left <= TimeSpan.Zero)
        {
            Volatile.Write(ref exhausted, true);
        }
        else if (left >= full / ResumeDivisor)
        {
            Volatile.Write(ref exhausted, false);
        }
    }
}
