using System.CommandLine;
using System.Globalization;
using Flows.Core;

namespace Flows.Benchmarks.Identity;

/// <summary><c>identity</c>: one watcher against a big cluster that changes, each as a process of its own.</summary>
internal static class IdentityCommand
{
    public const string Name = "identity";

    public static Command Create()
    {
        var pods = Number("--pods", "Running pods.", 100_000);
        var services = Number("--services", "Services.", 20_000);
        var changes = Number("--changes", "Changes a minute while latency is measured: objects that are written or deleted.", 5_000);
        var seconds = Number("--seconds", "How long latency is measured.", 60);
        var hour = Number("--hour", "Changes that stand for an hour of churn, made as fast as they are taken; two such hours are run.", 300_000);
        var stored = Stored();
        var verb = new Command(Name, """
            Sync a watcher with a generated cluster, then change the cluster, and see how long it takes, how much memory it needs, and how late it knows.

            Example: ./dev bench identity --pods 10000 --services 2000 --hour 30000
            """) { pods, services, changes, seconds, hour, stored, ServerVerb(), WatcherVerb(), LookupCommand.Create(), LearnCommand.Create() };
        verb.SetAction(async (parsed, cancellation) => (int)await IdentityRun.RunAsync(
            new(parsed.GetValue(pods), parsed.GetValue(services), parsed.GetValue(changes), parsed.GetValue(seconds), parsed.GetValue(hour), parsed.GetValue(stored)), cancellation).ConfigureAwait(false));
        return verb;
    }

    private static Command ServerVerb()
    {
        var pods = Number("--pods", "Running pods.", 100_000);
        var services = Number("--services", "Services.", 20_000);
        var verb = new Command("server", "The fake API server; reads 'go CHANGES PER_MINUTE' from its input, 0 a minute for as fast as it can.") { pods, services };
        verb.SetAction(async (parsed, cancellation) =>
        {
            await ClusterProcess.RunAsync(parsed.GetValue(pods), parsed.GetValue(services), cancellation).ConfigureAwait(false);
            return (int)ExitCode.Ok;
        });
        return verb;
    }

    private static Command WatcherVerb()
    {
        var kubeconfig = new Argument<string>("KUBECONFIG") { Description = "Of the fake API server." };
        var stored = Stored();
        var verb = new Command("watcher", "Watches; says when it is synced, and answers 'report' on its input.") { kubeconfig, stored };
        verb.SetAction(async (parsed, cancellation) =>
        {
            await WatcherProcess.RunAsync(parsed.GetRequiredValue(kubeconfig), parsed.GetValue(stored), cancellation).ConfigureAwait(false);
            return (int)ExitCode.Ok;
        });
        return verb;
    }

    private static Option<bool> Stored() =>
        new("--stored") { Description = "Put every statement into a store as a server does, so that it counts as known when a query would find it; memory has no bar then." };

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = string.Create(CultureInfo.InvariantCulture, $"{description} Default: {value}."), HelpName = "N", DefaultValueFactory = _ => value };
}
