using System.Globalization;
using Flows.Core.Map;

namespace Flows.Store;

/// <summary>Has the engine gather the hours of [fromUs, untilUs) as bits, one for each hour from the left: a group takes an eighth of a byte an hour, whatever it did.</summary>
internal readonly struct HourBits
{
    private readonly int first;
    private readonly int last;

    public HourBits(long fromUs, long untilUs)
    {
        // Whole words, so that the engine pads nothing.
        first = HourSet.HourOf(fromUs) / HourSet.WordHours * HourSet.WordHours;
        last = (Math.Max(HourSet.HourOf(untilUs), first) / HourSet.WordHours * HourSet.WordHours) + HourSet.WordHours - 1;
    }

    /// <summary>SQL of an aggregate: the hours that hold these times, as BIT.</summary>
    public string Gather(string time) =>
        string.Create(CultureInfo.InvariantCulture, $"bitstring_agg((epoch_us({time}) // {HourSet.HourUs})::INTEGER, {first}, {last})");

    /// <summary>The hours of a value that was gathered, and cast to BLOB.</summary>
    public HourSet Read(ReadOnlySpan<byte> bits) => HourSet.OfBits(first, bits);
}
