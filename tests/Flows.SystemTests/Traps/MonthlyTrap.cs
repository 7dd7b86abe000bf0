using System.Buffers.Binary;
using System.Globalization;
using Flows.SystemTests.Cli;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>The trap of time: a batch that runs once a month, each time as another pod on the same address.</summary>
[Collection(TrapSuite.Name)]
public sealed class MonthlyTrap(TrapRun run)
{
    private const int Months = 12;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    internal static void Prepare(TrapLab lab)
    {
        lab.West.Pod("t20-client", "10.10.1.200");
        lab.West.Pod("t20-server", "10.10.2.200");
    }

    internal static void Speak(TrapLab lab)
    {
        lab.Mark("t20");
        TrapTalk.Exchange(lab.West1(200), lab.West2(200), 12000);
    }

    [Fact]
    public async Task T20_a_batch_that_runs_once_a_month_is_one_dependency_from_the_first_month_to_the_last()
    {
        await run.HoldsAsync(20, "pod shop/t20-client -> pod shop/t20-server tcp/12000 | 1 answered | as_of as_of | west-1 west-2");

        // 1. What the node recorded of it, again in each month of a year; and who ran then.
        var recorded = await File.ReadAllBytesAsync(run.Lab.Recording, TestContext.Current.CancellationToken);
        var ran = DateTimeOffset.FromUnixTimeMilliseconds(run.Lab.Times["t20"] / 1000);
        var files = new List<string>();
        var inventory = Line("10.10.2.200", "ledger-0", "StatefulSet", "ledger", "");
        for (var month = 0; month < Months; month++)
        {
            var age = Month * (Months - month);
            files.Add(run.Lab[$"month-{month:00}.pcapng"]);
            await File.WriteAllBytesAsync(files[^1], Sooner(recorded, age), TestContext.Current.CancellationToken);
            inventory += Line("10.10.1.200", $"report-{month:00}", "CronJob", "report", $",\"valid_from\":\"{Text(ran - age - (Month / 60))}\",\"valid_to\":\"{Text(ran - age + (Month / 60))}\"");
        }

        var store = run.Lab["monthly"];
        var replayed = await FlowsProcess.RunAsync(["replay", .. files, "--store", store, "--inventory", run.Lab.Write("monthly.jsonl", inventory)]);
        Assert.True(replayed.ExitCode == 0, replayed.ToString());

        // 2. Twelve pods, one dependency, and the rule for it.
        var pods = await run.AskAsync("SELECT src_name, connections, answered FROM edges WHERE dst_port = 12000 ORDER BY bucket", store);
        Assert.Equal(
            Enumerable.Range(0, Months).Select(month => $"report-{month:00} 1 1"),
            pods.Select(row => $"{row.GetProperty("src_name").GetString()} {row.GetProperty("connections")} {row.GetProperty("answered")}"));
        var row = Assert.Single(await run.AskAsync(
            "SELECT src_workload, dst_workload, connections, epoch_us(first_seen) AS first, epoch_us(last_seen) AS last FROM dependencies WHERE port = 12000", store));
        Assert.Equal("report ledger 12", $"{row.GetProperty("src_workload").GetString()} {row.GetProperty("dst_workload").GetString()} {row.GetProperty("connections")}");
        Assert.InRange(Days(row, "last") - Days(row, "first"), Month.TotalDays * (Months - 1), (Month.TotalDays * (Months - 1)) + 0.01);
        var rules = await TrapPolicies.SuggestAsync(store, run.Lab["monthly-policies"]);
        Assert.Contains("shop/ledger-statefulset from shop app=report: TCP/12000", rules);
        Assert.Contains("shop/report-cronjob to shop app=ledger: TCP/12000", rules);
    }

    /// <summary>A line of an inventory: a pod of namespace shop whose workload picks it by <c>app</c>.</summary>
    private static string Line(string address, string name, string kind, string workload, string times) =>
        $$"""{"addr":"{{address}}","kind":"pod","namespace":"shop","name":"{{name}}","workload_kind":"{{kind}}","workload":"{{workload}}" """
        + $$""","labels":{"app":"{{workload}}"},"selector":{"app":"{{workload}}"}{{times}}}""" + "\n";

    private static double Days(System.Text.Json.JsonElement row, string column) => TimeSpan.FromMicroseconds(row.GetProperty(column).GetInt64()).TotalDays;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The same packets at sooner times (pcapng, section 4.3: the time of an enhanced packet block is two words, the high one first; here in microseconds).</summary>
    private static byte[] Sooner(byte[] recorded, TimeSpan by)
    {
        const int EnhancedPacket = 6;
        const int TimeAt = 12;
        var moved = recorded.AsSpan().ToArray();
        for (var at = 0; at < moved.Length;)
        {
            var block = moved.AsSpan(at, BinaryPrimitives.ReadInt32LittleEndian(moved.AsSpan(at + 4)));
            if (BinaryPrimitives.ReadInt32LittleEndian(block) == EnhancedPacket)
            {
                var time = block.Slice(TimeAt, 8);
                var us = ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(time) << 32) + BinaryPrimitives.ReadUInt32LittleEndian(time[4..]) - (ulong)by.TotalMicroseconds;
                BinaryPrimitives.WriteUInt32LittleEndian(time, (uint)(us >> 32));
                BinaryPrimitives.WriteUInt32LittleEndian(time[4..], (uint)us);
            }

            at += block.Length;
        }

        return moved;
    }
}
