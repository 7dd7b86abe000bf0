using System.Threading.Channels;
using Apache.Arrow;

namespace Flows.Benchmarks;

/// <summary>Takes batches as a sender would, and lets them go.</summary>
internal static class BatchDrain
{
    /// <summary>Returns how many rows they had, when the channel is complete.</summary>
    public static async Task<long> CountAsync(ChannelReader<RecordBatch> batches)
    {
        var rows = 0L;
        await foreach (var batch in batches.ReadAllAsync().ConfigureAwait(false))
        {
            using (batch)
            {
                rows += batch.Length;
            }
        }

        return rows;
    }
}
