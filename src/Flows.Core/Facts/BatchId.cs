using System.Globalization;

namespace Flows.Core.Facts;

/// <summary>
/// Names a batch for good: the collector, the epoch of its spool (a new one at every opening, always rising), and the
/// sequence within. A retry carries the same id and the same bytes.
/// </summary>
public readonly record struct BatchId(Guid Collector, ulong Epoch, ulong Sequence)
{
    /// <summary>The <c>batch_id</c> column.</summary>
    public ulong Hash => StableId.Of(
        "batch", Collector.ToString("N"), Epoch.ToString(CultureInfo.InvariantCulture), Sequence.ToString(CultureInfo.InvariantCulture));

    public override string ToString() => $"{Collector:N}/{Epoch}/{Sequence}";
}
