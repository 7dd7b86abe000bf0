namespace Flows.Benchmarks.Live;

/// <summary>The product's way from an interface to Arrow batches, as in <c>flows collect --interface</c>, without the spool behind it.</summary>
internal static class PacketReceiver
{
    public static async Task<Received> RunAsync(string name, CancellationToken stop)
    {
        var options = new SourceOptions { Node = "bench", Scope = "bench", Interfaces = [name] };
        await using var collection = new Collection(options, TimeProvider.System);
        var draining = BatchDrain.CountAsync(collection.Batches);
        var running = collection.RunAsync(stop);
        await collection.Started.ConfigureAwait(false);
        Console.Out.WriteLine(ReceiverCommand.Ready);
        await running.ConfigureAwait(false);
        var packets = collection.Accounts.First(account => account.Hop == "packets").Report();
        return new Received(packets.Seen, packets.DroppedTotal, await draining.ConfigureAwait(false));
    }
}
