using System.CommandLine;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary><c>flows policy render</c>: the same policies for another target, and what gets lost on the way.</summary>
internal static class PolicyRenderVerb
{
    private const string Nftables = "nftables";

    public static Command Create()
    {
        var policies = PolicyOptions.Policies();
        var target = new Option<string>("--target") { Description = "For what the policies are written.", HelpName = string.Join('|', PolicyRenderer.Targets.Append(Nftables)), Required = true };
        target.AcceptOnlyFromAmong([.. PolicyRenderer.Targets, Nftables]);
        var cluster = PolicyOptions.ClusterFile();
        cluster.Required = false;
        var host = new Option<string?>("--host") { Description = "The host (by node name) that nftables rules are for.", HelpName = "NAME" };
        var directory = new Option<DirectoryInfo>("--out") { Description = "Directory for the files; made if it is not there.", HelpName = "DIR", Required = true };
        var keepGoing = PolicyOptions.KeepGoing();
        var command = new Command("render", """
            Write policies of any kind that can be read for another target. What the target cannot say is listed, with what that lets through or stops;
            ends with exit code 3 if the meaning changed.

            Example: flows policy render --policies ./policies --target cilium --out ./cilium
            """)
        {
            policies, target, cluster, host, directory, keepGoing,
        };
        command.SetAction(parse =>
        {
            var set = PolicyOptions.ReadSet(parse.GetValue(policies)!, parse.GetValue(keepGoing));
            var rendering = parse.GetValue(target) == Nftables
                ? ForHost(set, parse.GetValue(cluster), parse.GetValue(host))
                : PolicyRenderer.Render(set, parse.GetValue(target)!);
            Write(rendering, parse.GetValue(directory)!);
            foreach (var loss in rendering.Losses)
            {
                Console.Error.WriteLine(VisibleText.Of($"{loss.EffectText}: {loss}"));
            }

            return (int)(rendering.IsExact ? ExitCode.Ok : ExitCode.No);
        });
        return command;
    }

    private static Rendering ForHost(PolicySet set, string? cluster, string? host)
    {
        var fleet = PolicyOptions.ReadCluster(cluster ?? throw new FlowsException(ExitCode.Usage, "nftables rules need --cluster, where the addresses of peers stand."));
        var found = fleet.Hosts.FirstOrDefault(one => one.Name == host)
            ?? throw new FlowsException(ExitCode.Usage, $"'{host}' is no node of the cluster; give one with --host: {string.Join(", ", fleet.Hosts.Select(one => one.Name))}.");
        return NftablesWriter.Render(set, NftablesHost.In(fleet, found.Party));
    }

    private static void Write(Rendering rendering, DirectoryInfo directory)
    {
        directory.Create();
        foreach (var file in rendering.Files)
        {
            File.WriteAllText(Path.Combine(directory.FullName, file.Name), file.Text);
        }

        Console.Out.WriteLine($"{rendering.Files.Count} files in {directory.FullName}");
    }
}
