namespace Flows;

/// <summary>What a long-running verb tells its operator, on standard error.</summary>
internal static class Announce
{
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

    private static void Warn(Collection collection)
    {
        foreach (var warning in collection.Warnings)
        {
            Console.Error.WriteLine($"flows: warning: {warning}");
        }
    }
}
