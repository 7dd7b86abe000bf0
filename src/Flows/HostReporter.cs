using Flows.Capture;
using Flows.Capture.Host;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Inventory.Host;

namespace Flows;

/// <summary>
/// Notes what this machine is: its addresses as they change, what its files, its administrator and its cloud say of it each minute. Never in the way of
/// collecting: it runs beside the sources, and what it cannot learn is left out.
/// </summary>
internal sealed class HostReporter(HostFiles files, bool askCloud, NodeNotes notes, TimeProvider time) : IDisposable
{
    // How late an address may come or go: a system call per look.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private const long ReadEveryUs = UnixTime.Minute;

    // Said again where nothing changed, so that a server that lost it learns it.
    private const long RepeatEveryUs = 5 * UnixTime.Minute;

    private readonly HashSet<string> troubled = new(StringComparer.Ordinal);
    private readonly HostAddresses addresses = new(time);
    private readonly CloudMetadata cloud = new();
    private IReadOnlyDictionary<string, string> cloudFacts = new Dictionary<string, string>();
    private HostFact? noted;
    private long readUs;

    /// <summary>Looks now and at each turn until cancelled, on a thread of the pool: who starts it has sources to open.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.Run(() => LookOnAsync(cancellation), CancellationToken.None);

    public void Dispose()
    {
        addresses.Dispose();
        cloud.Dispose();
    }

    private async Task LookOnAsync(CancellationToken cancellation)
    {
        Look();
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            var asking = askCloud ? AskCloudAsync(cancellation) : Task.CompletedTask;
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                Look();
            }

            await asking.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }

    private void Look()
    {
        var nowUs = time.NowUs();
        var due = readUs == 0 || nowUs - readUs >= ReadEveryUs;
        if (!addresses.Refresh(anyway: due) && !due)
        {
            return;
        }

        readUs = nowUs;
        if (!addresses.Works)
        {
            Cover("addresses", "The kernel does not tell this machine's addresses; name them in an inventory file.");
            return;
        }

        Cover("addresses", addresses.IsCut ? $"This machine has more than {HostFact.AddressesMax} addresses; name the rest in an inventory file." : "");
        var labels = HostLabels.Read(files.Labels);
        Cover("labels", labels.Rejected.Count == 0 ? "" : $"{labels.Rejected.Count} lines of {files.Labels} are not taken, the first: {labels.Rejected[0]}");
        var fact = new HostFact(files.Kind, files.Machine, addresses.Current, Facts(), labels.Labels, nowUs);
        if (noted is null || !Same(noted, fact) || nowUs - noted.AtUs >= RepeatEveryUs)
        {
            noted = fact;
            notes.Note(fact);
        }
    }

    private SortedDictionary<string, string> Facts()
    {
        var facts = files.Facts();
        foreach (var (name, text) in Volatile.Read(ref cloudFacts))
        {
            facts[name] = text;
        }

        return facts;
    }

    /// <summary>Once, and until it answers: a machine may be up before its cloud's service is.</summary>
    private async Task AskCloudAsync(CancellationToken cancellation)
    {
        if (CloudMetadata.ProviderOf(files) is not { } provider)
        {
            return;
        }

        using var timer = new PeriodicTimer(TimeSpan.FromMicroseconds(ReadEveryUs), time);
        while (true)
        {
            var answer = await cloud.AskAsync(provider, cancellation).ConfigureAwait(false);
            if (answer.Count > 0)
            {
                Volatile.Write(ref cloudFacts, answer);
                return;
            }

            await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Tells of a problem, and of its end; where all is well from the start there is nothing to tell.</summary>
    private void Cover(string aspect, string problem)
    {
        if (problem.Length == 0 && !troubled.Contains(aspect))
        {
            return;
        }

        troubled.Add(aspect);
        const int DetailMax = 1000;
        var detail = VisibleText.Of(problem);
        notes.Note(new CoverageFact(
            "host", aspect, problem.Length == 0 ? CoverageLevel.Full : CoverageLevel.Partial, detail.Length > DetailMax ? detail[..DetailMax] : detail, time.NowUs()));
    }

    private static bool Same(HostFact x, HostFact y) => x.Kind == y.Kind && x.Machine == y.Machine && x.Addresses.SequenceEqual(y.Addresses)
        && x.Facts.SequenceEqual(y.Facts) && x.Labels.SequenceEqual(y.Labels);
}
