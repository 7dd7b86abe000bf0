namespace Flows.Capture.Flow;

/// <summary>
/// Which observer counts one direction of a flow. A packet that passes a pod's veth, a bridge and an uplink is seen three times and
/// counted once: by the observer that saw the direction first, until that one has been silent while another sees it.
/// </summary>
internal struct FlowOwner
{
    /// <summary>The observer of a source that has one only. 0 stands for nobody yet.</summary>
    public const byte Only = 1;

    /// <summary>2^20 µs, about a second.</summary>
    private const int TickShift = 20;

    // Three whole ticks: longer than any ring keeps a packet back, shorter than a route takes to be noticed missing.
    private const byte SilentTicks = 4;

    // A packet may be older than the last by this much, as another ring or receive queue delivers it.
    private const byte LateTicks = 16;

    private byte observer;

    // The low byte of the tick: after 256 s of silence the owner seems awake for three more.
    private byte heard;

    /// <summary>True where the observer owns the direction; nobody's and a silent owner's become its own.</summary>
    public bool IsOrBecomes(byte candidate, long timeUs)
    {
        var tick = (byte)(timeUs >> TickShift);
        if (observer != candidate && observer != 0)
        {
            var silent = (byte)(tick - heard);
            if (silent is < SilentTicks or > byte.MaxValue - LateTicks)
            {
                return false;
            }
        }

        observer = candidate;
        heard = tick;
        return true;
    }
}
