using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary><c>flows policy connectivity</c>: what may talk to what under a set of policies.</summary>
internal static class PolicyConnectivityVerb
{
    public static Command Create()
    {
        var cluster = PolicyOptions.ClusterFile();
        var policies = PolicyOptions.Policies();
        var dialect = PolicyOptions.Dialect();
        var keepGoing = PolicyOptions.KeepGoing();
        var output = CommonOptions.Output("table", "json", "csv");
        var command = new Command("connectivity", """
            List what may talk to what, and on which ports: workloads, hosts, and an address outside. What is not listed is stopped.

            Example: flows policy connectivity --cluster cluster.yaml --policies ./policies
            """)
        {
            cluster, policies, dialect, keepGoing, output,
        };
        command.SetAction(parse =>
        {
            var set = PolicyOptions.ReadSet(parse.GetValue(policies)!, parse.GetValue(keepGoing));
            var reaches = Connectivity.Of(PolicyOptions.ReadCluster(parse.GetValue(cluster)!), set, PolicyOptions.DialectOf(parse.GetValue(dialect), set));
            if (parse.GetValue(output) == "json")
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(reaches, Json.Indented.Reaches));
            }
            else
            {
                var table = new DataTable("src", "dst", "ports");
                foreach (var reach in reaches)
                {
                    table.Add(reach.Src, reach.Dst, reach.Ports);
                }

                table.Print(parse.GetValue(output)!, Console.Out);
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }
}
