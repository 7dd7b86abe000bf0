using System.CommandLine;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary><c>flows policy test --against live</c>: follows a store that somebody writes, and says as it happens what a set would have denied.</summary>
internal static class PolicyLiveTest
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    /// <returns><see cref="ExitCode.No"/> where a needed connection would have been denied.</returns>
    public static async Task<ExitCode> RunAsync(
        PolicyStoreOptions from, ParseResult parse, PolicySet set, IReadOnlyList<NetBlock> clusterRanges, string? lasting, TimeProvider time, CancellationToken stop)
    {
        var beganUs = time.NowUs();
        var endsUs = lasting is null ? long.MaxValue : beganUs + (beganUs - UnixTime.Parse(lasting, beganUs));
        var dialect = PolicyOptions.DialectOf(parse.GetValue(from.Dialect));
        HashSet<(ulong, ulong, byte, ushort, bool)> told = [];
        var seen = 0;
        Console.Error.WriteLine($"watching what comes in from {UnixTime.Text(beganUs)} on{(lasting is null ? "; Ctrl+C ends it" : $", for {lasting}")}.");
        while (!stop.IsCancellationRequested && time.NowUs() < endsUs)
        {
            await Task.Delay(Every, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // Edges are kept by the minute, and a minute may be told late: what began with this run is read whole each time.
            var store = PolicyStore.Read(parse.GetValue(from.Store)!, beganUs, long.MaxValue, parse.GetValue(from.Cluster), dialect);
            var replay = PolicyReplay.Run(store.Input with { ClusterRanges = clusterRanges }, set, store.Options with { Whole = false });
            seen = replay.Needed;
            Say("denied", replay.Denied, sure: true);
            Say("unsure", replay.Unsure, sure: false);
        }

        var denied = told.Count(one => one.Item5);
        Console.Error.WriteLine($"{set.Policies.Count} policies over {seen} needed edges since {UnixTime.Text(beganUs)}: {denied} denied, {told.Count - denied} unsure.");
        return denied > 0 ? ExitCode.No : ExitCode.Ok;

        void Say(string verdict, IReadOnlyList<ReplayFinding> findings, bool sure)
        {
            foreach (var (edge, _, sentence) in findings)
            {
                if (told.Add((edge.Src.Id, edge.Dst.Id, edge.Protocol, edge.DstPort, sure)))
                {
                    var ends = $"{EdgeEvidence.Called(edge.Src)} {EdgeEvidence.Called(edge.Dst)} {IpProtocol.NameOf(edge.Protocol)} {edge.DstPort}";
                    Console.Out.WriteLine(VisibleText.Of($"{UnixTime.Text(edge.FirstSeenUs)} {verdict} {ends}: {sentence}"));
                }
            }
        }
    }
}
