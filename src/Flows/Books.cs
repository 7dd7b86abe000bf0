using Flows.Core;
using Flows.Core.Accounting;

namespace Flows;

/// <summary>The accounts of this process, as a report to keep beside the flows.</summary>
internal sealed class Books(string node, TimeProvider time, IReadOnlyList<HopAccount> accounts)
{
    private readonly Guid process = Guid.NewGuid();
    private readonly long sinceUs = time.NowUs();

    public AccountReport Report() => new(node, process, sinceUs, time.NowUs(), [.. accounts.Select(account => account.Report())]);

    /// <summary>Hands a report over at each turn of the interval, until cancelled.</summary>
    public async Task EveryAsync(TimeSpan interval, Func<AccountReport, Task> take, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                await take(Report()).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }
}
