using System.CommandLine;
using Flows.Core;

namespace Flows.Verbs;

/// <summary><c>flows serve</c>: receive, keep, name and show; collects nothing.</summary>
internal static class ServeVerb
{
    public static Command Create()
    {
        var store = CommonOptions.Store();
        var listen = CommonOptions.Listen();
        var inventory = CommonOptions.Inventory();
        var clusters = ClusterOption.Create();
        var drafts = DraftOptions.Create();
        var insecure = new Option<bool>("--insecure") { Description = "Accept collectors and readers beyond this machine, unencrypted and unauthenticated." };
        var verb = new Command("serve", """
            Receive from collectors, keep, name and show. Also serves an existing store.

            Examples:
              flows serve --store /var/lib/flows/store --listen 127.0.0.1:4739 --inventory inventory.jsonl
              flows serve --store /var/lib/flows/store --kubernetes production,kubeconfig=/etc/flows/kubeconfig
            """) { store, listen, inventory, clusters, drafts, insecure };
        verb.SetAction(async (parsed, cancel) =>
        {
            var options = new ServerOptions
            {
                StoreDirectory = parsed.GetRequiredValue(store).FullName,
                Listen = parsed.GetRequiredValue(listen),
                Inventories = CommonOptions.Paths(parsed.GetValue(inventory)),
                Clusters = parsed.GetValue(clusters) ?? [],
                Drafts = parsed.GetValue(drafts) ?? [],
                Insecure = parsed.GetValue(insecure),
            };
            using var lifetime = Lifetime.Start(cancel);
            await Pipeline.ServeAsync(options, TimeProvider.System, lifetime.Token).ConfigureAwait(false);
            return (int)lifetime.ExitCode;
        });
        return verb;
    }
}
