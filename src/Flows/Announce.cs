using Flows.Transport;

namespace Flows;

/// <summary>What a long-running verb tells its operator, on standard error.</summary>
internal static class Announce
{
    private static readonly TimeSpan ProblemsEvery = TimeSpan.FromSeconds(5);

    public static void Serving(Server server) => Console.Error.WriteLine($"flows: serving on {string.Join(", ", server.Addresses)}");

    /// <summary>Says when every source watches, and what the kernel does not give as it should.</summary>
    public static async Task CollectingAsync(CollectorOptions options, Collection collection)
    {
        await collection.Started.ConfigureAwait(false);
        Console.Error.WriteLine($"flows: collecting on {options.Sources.Node} for {options.Server}");
        Warn(collection);
        if (options.SayWhenReady)
        {
            Console.Out.WriteLine("ready");
        }
    }

    public static async Task WarningsAsync(Collection collection)
    {
        await collection.Started.ConfigureAwait(false);
        Warn(collection);
    }

    /// <summary>Says once when sending fails, and once when it goes on.</summary>
    public static async Task ProblemsAsync(Sender sender, TimeProvider time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(ProblemsEvery, time);
        string? said = null;
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
        {
            var problem = sender.Status.Problem;
            if (problem is null != said is null)
            {
                Console.Error.WriteLine(problem is null ? "flows: sending again" : $"flows: cannot send, keeping everything on disk meanwhile: {problem}");
            }

            said = problem;
        }
    }

    /// <summary>Says what a collector that ends has not handed over.</summary>
    public static void Left(Sender sender, Spool spool)
    {
        var account = spool.Account.Report();
        if (account.InFlight > 0)
        {
            Console.Error.WriteLine($"flows: {account.InFlight} rows stay in the spool for the next start: {sender.Status.Problem}");
        }

        if (sender.Status.Rejected > 0)
        {
            Console.Error.WriteLine($"flows: the server refused {sender.Status.Rejected} batches or reports for good; they lie in the spool's directory 'dead'");
        }
    }

    private static void Warn(Collection collection)
    {
        foreach (var warning in collection.Warnings)
        {
            Console.Error.WriteLine($"flows: warning: {warning}");
        }
    }
}
