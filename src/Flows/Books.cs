using Flows.Capture;
using Flows.Core;
using Flows.Core.Accounting;

namespace Flows;

/// <summary>The accounts of this process and what its sources noted beside flows, as a report to keep beside the flows.</summary>
internal sealed class Books(string node, TimeProvider time, IReadOnlyList<HopAccount> accounts, NodeNotes notes)
{
    // Not at once: a starting collector has to open its sources first.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly Guid process = Guid.NewGuid();
    private readonly long sinceUs = time.NowUs();

    /// <summary>The books now. Takes the notes along: they are in this report and in no later one.</summary>
    public AccountReport Report()
    {
        // The notes first, so that the report that carries them counts them as forwarded.
        var facts = notes.Take();
        return new(node, process, sinceUs, time.NowUs(), [.. accounts.Select(account => account.Report())]) { Facts = facts.IsEmpty ? null : facts };
    }

    /// <summary>Hands a report over soon, so that what this machine is is known with its first flows, and at each turn of the interval, until cancelled.</summary>
    public async Task EveryAsync(TimeSpan interval, Func<AccountReport, Task> take, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            await Task.Delay(Soon, time, cancellation).ConfigureAwait(false);
            await take(Report()).ConfigureAwait(false);
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
