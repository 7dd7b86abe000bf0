using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>What the fuzz tests share: a seed that can be set, a count that can be set, a small tracker.</summary>
internal static class Fuzzing
{
    /// <summary>The seed of this run: FLOWS_FUZZ_SEED to repeat one, else another each time.</summary>
    public static int Seed { get; } = Number("FLOWS_FUZZ_SEED") ?? Environment.TickCount;

    /// <summary>How many inputs to try: FLOWS_FUZZ_COUNT where it is set.</summary>
    public static int Count(int usual) => Number("FLOWS_FUZZ_COUNT") ?? usual;

    /// <summary>A tracker whose table is small enough to be full all the time.</summary>
    public static PacketTracker NewTracker(HopAccount account) =>
        new(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions { EntriesMax = 512 }, (in FlowRow _) => { }), account);

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;
}
