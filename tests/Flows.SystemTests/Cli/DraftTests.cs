using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Drafts of policies held against real connections as they come in: by the server, for the cluster that each is for, and by <c>flows policy test --against live</c>.</summary>
public sealed class DraftTests : IDisposable
{
    private const string Node = "draft-node";
    private const int Allowed = 8081;
    private const int Denied = 9090;
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_a_draft_would_deny_is_told_live_and_kept_for_its_cluster()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var allowed = network.InServer(() => Traffic.Listen(AddressFamily.InterNetwork, "10.77.0.2", Allowed));
        using var denied = network.InServer(() => Traffic.Listen(AddressFamily.InterNetwork, "10.77.0.2", Denied));
        var inventory = directory.Write("inventory.jsonl", Pod("10.77.0.1", "east") + Pod("10.99.0.1", "west"));
        var (draft, open) = (directory.Write("draft.yaml", Egress(Allowed)), directory.Write("open.yaml", Egress(Allowed, Denied)));
        await using var up = network.InServer(() => FlowsProcess.Start(
            "up", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--node", Node, "--inventory", inventory, "--no-cloud-metadata",
            "--draft-policies", $"east={draft}", "--draft-policies", $"west={open}"));
        await up.SaysAsync("serving on");
        await up.SaysAsync("for 'west'");

        // 1. Whoever watches sees a need denied and ends with 3; a set that allows it ends with 0 after judging the same edges.
        var (strict, lenient) = (LiveAsync(draft), LiveAsync(open));
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        Exchange(network, allowed, Allowed, 3);
        Exchange(network, denied, Denied, 2);
        var told = await strict;
        Assert.True(told.ExitCode == 3, told.ToString());
        Assert.Matches($@"^\d{{4}}-\S+Z denied shop/web-east {Node} tcp {Denied}: no rule of shop/web allows egress to {Node} on TCP {Denied} \(isolated by shop/web\)$", told.Output.TrimEnd());
        Assert.Contains("1 policies over 2 needed edges", told.Error, StringComparison.Ordinal);
        Assert.Contains(": 1 denied, 0 unsure.", told.Error, StringComparison.Ordinal);
        var silent = await lenient;
        Assert.True(silent.ExitCode == 0 && silent.Output.Length == 0, silent.ToString());
        Assert.Contains("1 policies over 2 needed edges", silent.Error, StringComparison.Ordinal);

        // 2. The server has written the same down for the cluster of the draft, and nothing of it for the other.
        await DecidedAsync($"east,allowed,{Allowed},3\neast,denied,{Denied},2\n");

        // 3. Who asks for policies says of which cluster, and is told which there are.
        using var client = ServerSocket.Client(directory["flows.sock"]);
        using var unclear = await client.GetAsync(new Uri("/api/v1/policies", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, unclear.StatusCode);
        Assert.Contains("east", await unclear.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var policies = JsonDocument.Parse(await client.GetStringAsync(new Uri("/api/v1/policies?cluster=east&detail=full", UriKind.Relative), TestContext.Current.CancellationToken));
        var rule = Assert.Single(policies.RootElement.GetProperty("policies").EnumerateArray()).GetProperty("detail").GetProperty("rules").EnumerateArray()
            .Single(one => one.GetProperty("direction").GetString() == "egress");
        Assert.Equal([$"TCP {Allowed}", $"TCP {Denied}"], rule.GetProperty("ports").EnumerateArray().Select(port => port.GetString()));
        await up.EndAsync(FlowsProcess.SigTerm);
    }

    private Task<Finished> LiveAsync(string policies) =>
        FlowsProcess.RunAsync("policy", "test", "--store", directory["store"], "--policies", policies, "--cluster", "east", "--against", "live", "--for", "30s");

    private static void Exchange(ConntrackNetns network, Socket listener, int port, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Traffic.Exchange(network, listener, "10.77.0.2", port, 100, 100);
        }
    }

    private async Task DecidedAsync(string expected)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var asked = await FlowsProcess.RunAsync(
                "sql", "--store", directory["store"], "--output", "csv",
                $"SELECT cluster, verdict, dst_port, sum(connections)::BIGINT AS n FROM decisions WHERE dst_port IN ({Allowed}, {Denied}) GROUP BY ALL ORDER BY ALL");
            var rows = asked.Output.ReplaceLineEndings("\n");
            if (rows == "cluster,verdict,dst_port,n\n" + expected)
            {
                return;
            }

            Assert.True(waited.Elapsed < ArrivalMax, asked.ToString());
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }

    private static string Pod(string address, string cluster) => $$"""
        {"addr":"{{address}}","kind":"pod","uid":"{{cluster}}-1","cluster":"{{cluster}}","name":"web-{{cluster}}","namespace":"shop","workload_kind":"Deployment","workload":"web","node":"{{cluster}}-node","labels":{"app":"web"},"selector":{"app":"web"},"valid_from":"2020-01-01T00:00:00Z"}

        """;

    private static string Egress(params int[] ports) => $$"""
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: { name: web, namespace: shop }
        spec:
          podSelector: { matchLabels: { app: web } }
          policyTypes: [Egress]
          egress:
          - ports: [{{string.Join(", ", ports.Select(Rule))}}]
        """;

    private static string Rule(int port) => $"{{ protocol: TCP, port: {port} }}";
}
