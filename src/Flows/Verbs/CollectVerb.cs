using System.CommandLine;
using Flows.Core;
using Flows.Transport;

namespace Flows.Verbs;

/// <summary><c>flows collect</c>: watch this node and ship what it sees.</summary>
internal static class CollectVerb
{
    public static Command Create()
    {
        var server = new Option<string>("--server") { Description = "Where to ship: http://HOST:PORT or unix:/path.", HelpName = "URL", Required = true };
        var spool = new Option<DirectoryInfo>("--spool") { Description = "Directory of the disk spool.", HelpName = "DIR", Required = true };
        var untilStdinCloses = new Option<bool>("--until-stdin-closes") { Description = "Stop when standard input closes, for supervisors that die.", Hidden = true };
        var sources = new SourceOptionSet();
        var verb = new Command("collect", """
            Watch this node's connections and ship them to a server.

            Examples:
              flows collect --server http://127.0.0.1:4739 --node web-1 --spool /var/lib/flows/spool --conntrack
              flows collect --server unix:/run/flows.sock --node mirror-1 --spool /tmp/spool --interface eth1
              flows collect --server unix:/run/flows.sock --node host-7 --spool /tmp/spool --conntrack --interface 'veth*' --interface eth0
            """) { server, spool, untilStdinCloses };
        sources.AddTo(verb);
        verb.SetAction(async (parsed, cancel) =>
        {
            var options = new CollectorOptions
            {
                Server = ServerAddress.Parse(parsed.GetRequiredValue(server)),
                SpoolDirectory = parsed.GetRequiredValue(spool).FullName,
                Sources = sources.Read(parsed),
                SayWhenReady = parsed.GetValue(untilStdinCloses),
            };

            // Before any thread of ours and any byte of a stranger.
            options = options with { Sources = CollectorRights.Keep(options.Sources) };
            using var lifetime = Lifetime.Start(cancel, parsed.GetValue(untilStdinCloses));
            await Pipeline.CollectAsync(options, TimeProvider.System, lifetime.Token).ConfigureAwait(false);
            return (int)lifetime.ExitCode;
        });
        return verb;
    }
}
