using System.Numerics;

namespace Flows.Capture.Live;

/// <summary>
/// Divides the kernel memory for waiting packets among interfaces. Names share all of it. Where globs may bring more interfaces, half is kept for those
/// to come, so that rings, which cannot change their size while they are open, need seldom be opened again.
/// </summary>
internal sealed class RingBudget(int totalBytes, int names, bool hasGlobs)
{
    /// <summary>Numbers of observers are bytes, and 0 is nobody.</summary>
    public const int HandlesMax = byte.MaxValue;

    // libpcap makes rings of blocks of 256 KiB.
    private const int BlockBytes = 256 << 10;

    public int UsedBytes { get; private set; }

    public int Handles { get; private set; }

    /// <summary>Bytes for the ring of one more interface, out of <paramref name="wanted"/> that there are in all; 0 when there is no room.</summary>
    /// <param name="wanted">Interfaces to capture on, this one and those that are open among them.</param>
    /// <param name="namesNotOpen">Names other than this one that are not open now: room for them is kept.</param>
    public int Take(int wanted, int namesNotOpen)
    {
        var free = totalBytes - UsedBytes - (namesNotOpen * InterfaceSourceOptions.RingBytesMin);
        if (free < InterfaceSourceOptions.RingBytesMin || Handles == HandlesMax)
        {
            return 0;
        }

        var granted = Math.Min(Share(wanted), free) / BlockBytes * BlockBytes;
        UsedBytes += granted;
        Handles++;
        return granted;
    }

    public void Return(int bytes)
    {
        UsedBytes -= bytes;
        Handles--;
    }

    /// <summary>What a ring of that size is to become so that another finds room; 0 when it is as small as may be.</summary>
    public int Halved(int bytes) =>
        bytes <= InterfaceSourceOptions.RingBytesMin || Handles == HandlesMax ? 0 : Math.Max(bytes / 2 / BlockBytes * BlockBytes, InterfaceSourceOptions.RingBytesMin);

    /// <summary>A ring of <paramref name="before"/> bytes is one of <paramref name="after"/> now.</summary>
    public void Replace(int before, int after) => UsedBytes += after - before;

    private int Share(int wanted)
    {
        var parts = hasGlobs ? 2 * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(wanted, 1)) : Math.Max(names, 1);
        return Math.Max(totalBytes / parts, InterfaceSourceOptions.RingBytesMin);
    }
}
