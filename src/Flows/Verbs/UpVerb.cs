using System.CommandLine;
using Flows.Core;

namespace Flows.Verbs;

/// <summary><c>flows up</c>: collector, store and page for this one machine.</summary>
internal static class UpVerb
{
    public static Command Create()
    {
        var store = CommonOptions.Store();
        var listen = CommonOptions.Listen();
        var inventory = CommonOptions.Inventory();
        var clusters = ClusterOption.Create();
        var drafts = DraftOptions.Create();
        var sources = new SourceOptionSet();
        var verb = new Command("up", """
            Watch this machine and show it: collector, store and page in one process.

            Example: flows up --store /var/lib/flows/store
            """) { store, listen, inventory, clusters, drafts };
        sources.AddTo(verb);
        verb.SetAction(async (parsed, cancel) =>
        {
            var watched = sources.Read(parsed);
            var options = new ServerOptions
            {
                StoreDirectory = parsed.GetRequiredValue(store).FullName,
                Listen = parsed.GetRequiredValue(listen),
                Inventories = CommonOptions.Paths(parsed.GetValue(inventory)),
                Clusters = parsed.GetValue(clusters) ?? [],
                Drafts = parsed.GetValue(drafts) ?? [],
                Scope = watched.Scope,
            };

            // Before any thread of ours and any byte of a stranger.
            watched = CollectorRights.Keep(watched, CollectorRights.ToListen(options.Listen));
            using var lifetime = Lifetime.Start(cancel);
            await Pipeline.UpAsync(options, watched, TimeProvider.System, lifetime.Token).ConfigureAwait(false);
            return (int)lifetime.ExitCode;
        });
        return verb;
    }
}
