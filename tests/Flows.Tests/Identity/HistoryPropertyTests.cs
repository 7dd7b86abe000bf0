using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Identity;

/// <summary>Whatever happens and however it is heard: the live ledger and the bulk lookup answer as the plainest reading of all statements does.</summary>
public sealed class HistoryPropertyTests(ITestOutputHelper output)
{
    private const int Histories = 10_000;
    private const long Hours = 3 * 60 * UnixTime.Minute;

    [Fact]
    public void Live_ledger_and_bulk_lookup_answer_as_the_oracle_does()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FLOWS_HISTORY_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"FLOWS_HISTORY_SEED={seed}");
        var answers = 0;
        Parallel.For(0, Histories, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
            Interlocked.Add(ref answers, Check(new Random(seed ^ (number * 7919)), $"seed {seed}, history {number}")));
        output.WriteLine($"{answers} answers");
    }

    private static int Check(Random random, string where)
    {
        var history = new RandomHistory(random, Some.TimeUs, Hours, stories: random.Next(1, 7));
        var forgetful = random.Next(2) == 0;
        var live = new LiveLedger();
        var said = new List<IdentityInterval>();
        var horizon = long.MinValue;
        foreach (var batch in history.Deliveries)
        {
            foreach (var place in live.Unsure(batch))
            {
                live.Restore(place, said.Where(one => Place.Of(one) == place));
            }

            said.AddRange(live.Add(batch).News);
            if (forgetful && random.Next(3) == 0)
            {
                horizon = Math.Max(horizon, batch.Max(one => one.LearnedAtUs) - (60 * UnixTime.Minute));
                live.Forget(horizon);
            }
        }

        List<IdentityInterval> delivered = [.. history.Deliveries.SelectMany(batch => batch)];
        List<(NetAddress Address, long TimeUs, ResolvedBy By, ulong Entity)> truth = [];
        foreach (var address in RandomHistory.Addresses)
        {
            foreach (var time in history.Moments(delivered).Where(time => time >= horizon && random.Next(3) == 0))
            {
                var (by, entity) = RandomHistory.Truth(delivered, address, time);
                var asked = NetAddress.Parse(address);
                var answer = live.At(RandomHistory.Scope, asked, time);
                Assert.True(by == answer.ResolvedBy && (by == ResolvedBy.Unknown || entity == answer.EntityFor(RandomHistory.Scope, asked).Id), $"{where}: {address} at {time}: {by}, not {answer.ResolvedBy} {string.Join(" | ", answer.Candidates.Select(one => one.Uid))}");
                truth.Add((asked, time, by, entity));
            }
        }

        InBulk(live.Index(), [.. truth.OrderBy(one => one.Address).ThenBy(one => one.TimeUs)], where);
        InBulk(live.Index(), truth, where);
        return truth.Count;
    }

    private static void InBulk(SpanIndex index, List<(NetAddress Address, long TimeUs, ResolvedBy By, ulong Entity)> truth, string where)
    {
        var (entities, by) = (new ulong[truth.Count], new ResolvedBy[truth.Count]);
        index.Resolve(RandomHistory.Scope, [.. truth.Select(one => one.Address)], [.. truth.Select(one => one.TimeUs)], entities, by);
        for (var i = 0; i < truth.Count; i++)
        {
            Assert.True(truth[i].By == by[i] && truth[i].Entity == entities[i], $"{where}, in bulk: {truth[i]}, not {by[i]} {entities[i]}");
        }
    }
}
