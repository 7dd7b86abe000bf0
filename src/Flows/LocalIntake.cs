using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Transport.Intake;

namespace Flows;

/// <summary>Puts batches of this process into the server's log, without a wire between: same durability, same names.</summary>
internal sealed class LocalIntake(Intake intake, string node, string scope)
{
    private readonly Guid collector = Guid.NewGuid();
    private ulong sequence;

    /// <summary>Takes batches until the channel completes.</summary>
    /// <exception cref="FlowsException">The log does not take them.</exception>
    public async Task TakeAllAsync(ChannelReader<RecordBatch> batches)
    {
        await foreach (var batch in batches.ReadAllAsync().ConfigureAwait(false))
        {
            using (batch)
            {
                Check(await intake.AppendLocalAsync(NextId(), node, scope, batch, CancellationToken.None).ConfigureAwait(false));
            }
        }
    }

    public async Task TakeAsync(AccountReport report) =>
        Check(await intake.AppendLocalAsync(NextId(), node, scope, report, CancellationToken.None).ConfigureAwait(false));

    private BatchId NextId() => new(collector, 1, Interlocked.Increment(ref sequence));

    private static void Check(ReceiveResult result)
    {
        if (result.Outcome != ReceiveOutcome.Stored)
        {
            throw new FlowsException(ExitCode.Failed, $"The store's log did not take a batch: {result.Reason}");
        }
    }
}
