using System.CommandLine;
using Flows.Core;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows sql</c>: questions to one's own files, with one's own rights.</summary>
internal static class SqlVerb
{
    public static Command Create()
    {
        var query = new Argument<string?>("QUERY") { Description = "One SELECT. Read from standard input when absent or '-'.", Arity = ArgumentArity.ZeroOrOne };
        var store = CommonOptions.Store();
        var output = CommonOptions.Output("table", "csv", "json", "arrow");
        var verb = new Command("sql", """
            Ask the store in SQL (DuckDB's dialect). The views are flow_log, edges, dependencies, unresolved,
            identities, losses, coverage, gaps, owners, names, service_ports, backends,
            cluster_objects.

            Examples:
              flows sql --store DIR "FROM dependencies"
              flows sql --store DIR "FROM gaps"
              flows sql --store DIR --output csv "SELECT src_name, dst_name, dst_port FROM flow_log WHERE in_cidr(src_addr, '10.0.0.0/8')"
            """) { query, store, output };
        verb.SetAction((parsed, _) =>
        {
            var text = parsed.GetValue(query);
            if (text is null or "-")
            {
                text = Console.In.ReadToEnd();
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                throw new FlowsException(ExitCode.Usage, "There is no query; write it as the argument or to standard input.");
            }

            using var reader = StoreReader.Open(parsed.GetRequiredValue(store).FullName);
            using var to = Console.OpenStandardOutput();
            new SqlRunner(reader).Run(text, parsed.GetRequiredValue(output), to);
            return Task.FromResult((int)ExitCode.Ok);
        });
        return verb;
    }
}
