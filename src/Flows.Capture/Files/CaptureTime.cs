using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>Turns a file's time stamps into microseconds, whatever their resolution, and keeps nonsense within what a date can hold.</summary>
internal readonly struct CaptureTime
{
    /// <summary>9999-12-31T23:59:59Z, the last second that dates here can show.</summary>
    private const long LastUs = 253_402_300_799 * UnixTime.Second;

    private readonly ulong unitsPerSecond;
    private readonly ulong unitsPerUs;
    private readonly long offsetSeconds;

    /// <param name="unitsPerSecond">Resolution, at least 1.</param>
    /// <param name="offsetSeconds">Seconds that are added to every time stamp.</param>
    public CaptureTime(ulong unitsPerSecond, long offsetSeconds = 0)
    {
        this.unitsPerSecond = unitsPerSecond;
        unitsPerUs = unitsPerSecond % UnixTime.Second == 0 ? unitsPerSecond / UnixTime.Second : 0;
        this.offsetSeconds = Math.Clamp(offsetSeconds, -LastUs / UnixTime.Second, LastUs / UnixTime.Second);
    }

    public long ToUs(ulong units)
    {
        // The 128-bit division is slow, so the resolutions in use (µs, ns) do without it.
        var us = unitsPerUs != 0 ? units / unitsPerUs : (ulong)UInt128.Min((UInt128)units * UnixTime.Second / unitsPerSecond, LastUs);
        return Clamp((long)Math.Min(us, (ulong)LastUs) + (offsetSeconds * UnixTime.Second));
    }

    /// <summary>The time of a classic record: seconds, and a fraction that may be out of range.</summary>
    public long ToUs(uint seconds, uint fraction) => Clamp((seconds * UnixTime.Second) + (long)(fraction / unitsPerUs));

    private static long Clamp(long us) => Math.Clamp(us, 0, LastUs);
}
