using System.CommandLine;
using Flows.Core;
using Flows.Demo;

namespace Flows.Verbs;

/// <summary><c>flows demo</c>: a small real fleet, collected, stored, named, mapped, segmented, and held against its own truth.</summary>
internal static class DemoVerb
{
    public static Command Create()
    {
        var once = new Option<bool>("--once") { Description = "End after the report, without the page." };
        var store = new Option<DirectoryInfo>("--store") { Description = "Keep the store in this new or empty directory. Otherwise it goes with the demo.", HelpName = "DIR" };
        var record = new Option<FileInfo>("--record") { Description = "Also write the run to one pcapng file, which --replay and 'flows replay' read.", HelpName = "FILE" };
        var replay = new Option<FileInfo>("--replay") { Description = "Replay this recording instead of building the fleet.", HelpName = "FILE" };
        var listen = CommonOptions.Listen();
        var output = CommonOptions.Output("table", "json");
        var verb = new Command("demo", """
            Build a small fleet in network namespaces, watch its real connections, and show the whole product on them.
            Needs root; without it, a recording of the same is replayed. Ends with exit code 3 if anything differs from the truth.

            Examples:
              flows demo
              flows demo --once --store /tmp/fleet && flows map --store /tmp/fleet --level pod
            """) { once, store, record, replay, listen, output };
        verb.SetAction(async (parsed, cancel) =>
        {
            using var lifetime = Lifetime.Start(cancel);
            using var scratch = new Scratch();
            var options = new DemoOptions
            {
                StoreDirectory = parsed.GetValue(store)?.FullName ?? Path.Combine(scratch.Directory, "store"),
                ScratchDirectory = scratch.Directory,
                RecordTo = parsed.GetValue(record)?.FullName,
            };
            Check(options);
            var evidence = await RunAsync(options, parsed.GetValue(replay)?.FullName, lifetime.Token).ConfigureAwait(false);
            var result = DemoResult.Of(options.StoreDirectory, evidence);
            if (parsed.GetRequiredValue(output) == "json")
            {
                DemoPrinter.PrintJson(result, Console.Out);
            }
            else
            {
                DemoPrinter.PrintStory(result, Console.Out);
            }

            if (!parsed.GetValue(once))
            {
                await ShowAsync(options.StoreDirectory, parsed.GetRequiredValue(listen), lifetime).ConfigureAwait(false);
            }

            return (int)(result.Ok ? ExitCode.Ok : ExitCode.No);
        });
        return verb;
    }

    /// <summary>What cannot work fails before the fleet is built.</summary>
    private static void Check(DemoOptions options)
    {
        if (Directory.Exists(options.StoreDirectory) && Directory.EnumerateFileSystemEntries(options.StoreDirectory).Any())
        {
            throw new FlowsException(ExitCode.Usage, $"{options.StoreDirectory} is not empty; the demo compares a store with its truth, so it needs a new one.");
        }
    }

    private static Task<DemoEvidence> RunAsync(DemoOptions options, string? recording, CancellationToken cancellation)
    {
        var progress = new Reporter();
        if (recording is null && Environment.IsPrivilegedProcess)
        {
            return LiveDemo.RunAsync(options, TimeProvider.System, progress, cancellation);
        }

        if (options.RecordTo is not null)
        {
            throw new FlowsException(ExitCode.Usage, "--record needs a real run, which needs root; this one would replay a recording.");
        }

        progress.Report(recording is null ? "not root: replaying the recording of a real run (as root, the fleet itself is built)" : $"replaying {recording}");
        return DemoRecording.ReplayAsync(recording, options, TimeProvider.System, cancellation);
    }

    private static async Task ShowAsync(string store, IReadOnlyList<string> listen, Lifetime lifetime)
    {
        await using var server = await Server.StartAsync(new ServerOptions { StoreDirectory = store, Listen = listen, Scope = DemoInventory.Scope }, TimeProvider.System).ConfigureAwait(false);
        await Console.Error.WriteLineAsync($"\nThe page is at {string.Join(", ", server.Addresses)} until you press Enter.").ConfigureAwait(false);
        lifetime.EndWhenStdinHasALine();
        await server.RunAsync(lifetime.Token).ConfigureAwait(false);
    }

    private sealed class Reporter : IProgress<string>
    {
        public void Report(string value) => Console.Error.WriteLine($"demo: {value}");
    }

    /// <summary>A directory that goes with the demo; what a kill leaves behind lies in the temporary directory.</summary>
    private sealed class Scratch : IDisposable
    {
        public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("flows-demo-").FullName;

        public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
    }
}
