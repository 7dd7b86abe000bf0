using CsCheck;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Xunit;

namespace Flows.Tests.Identity;

/// <summary>The ledger against the plainest reading of its rules: look at every statement, every time.</summary>
public sealed class LedgerOracleTests
{
    private static readonly string[] Ranges = ["10.0.0.1", "10.0.0.2", "10.0.0.0/30", "10.0.0.0/24", "2001:db8::1", "2001:db8::/64", "0.0.0.0/0", "::/0"];
    private static readonly string[] Addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9", "10.9.9.9", "2001:db8::1", "2001:db8::2", "2001:db9::1"];

    // Few moments, entities and places, so that reuse, overlap and corrections are the rule; times are within one second.
    private static readonly Gen<IdentityInterval> Statement =
        from entity in Gen.Int[0, 4]
        from scope in Gen.Int[0, 1]
        from range in Gen.Int[0, 7]
        from start in Gen.Int[0, 9]
        from length in Gen.Int[-1, 9]
        from learned in Gen.Int[0, 50]
        from revoked in Gen.Int[0, 9]
        from label in Gen.Int[0, 1]
        select Said.That(
            Said.Pod($"p{entity}", scope == 0 ? "east" : "west", labels: ("v", $"{label}")), Ranges[range], start * 1000,
            length < 0 ? null : (start + length) * 1000, learned, revoked == 0 ? learned : null);

    private static readonly Gen<IdentityInterval[]> Histories = Statement.Array[0, 40];

    [Fact]
    public void Ledger_agrees_with_a_linear_scan() => Histories.Select(history => (IdentityInterval[])
        [.. history.Select((said, i) => said with { LearnedAtUs = (said.LearnedAtUs * 100) + i })]).Sample(history =>
    {
        var ledger = Ledger.Empty.Add(history);
        var standing = history.Where(said => said.RevokedAtUs is null
            && !history.Any(other => other.IntervalId == said.IntervalId && other.LearnedAtUs > said.LearnedAtUs)).ToArray();
        foreach (var scope in (string[])["east", "west", "north"])
        {
            foreach (var address in Addresses.Select(NetAddress.Parse))
            {
                for (var time = -500L; time <= 19_000; time += 500)
                {
                    var (by, ids) = Scan(standing, scope, address, time);
                    var answer = ledger.At(scope, address, time);
                    Assert.Equal(by, answer.ResolvedBy);
                    Assert.Equal(ids, answer.Candidates.Select(entity => entity.Id).Order());
                }
            }
        }
    }, iter: 100);

    [Fact]
    public void Timeline_does_not_depend_on_the_order_of_arrival() => Gen.Select(Histories, Gen.Int).Sample((history, seed) =>
    {
        var shuffled = history.ToArray();
        new Random(seed).Shuffle(shuffled);
        Assert.Equal(Timeline.Compile(history).Select(Text), Timeline.Compile(shuffled).Select(Text));
    }, iter: 300);

    [Fact]
    public void Spans_of_one_place_are_ordered_and_never_overlap() => Histories.Sample(history =>
    {
        foreach (var place in Timeline.Compile(history).GroupBy(span => (span.Scope, span.Address, span.PrefixLength)))
        {
            Assert.All(place, span => Assert.True(span.FromUs < span.ToUs && span.Candidates.Count > 0));
            Assert.All(place.Zip(place.Skip(1)), pair => Assert.True(pair.First.ToUs <= pair.Second.FromUs));
        }
    }, iter: 300);

    [Fact]
    public void Learning_a_history_bit_by_bit_is_learning_it_at_once() => Gen.Select(Histories, Histories).Sample((first, second) =>
    {
        var news = LedgerDelta.Of(first, second);
        var (whole, grown) = (Ledger.Empty.Add([.. first, .. second]), Ledger.Empty.Add(first).Add(news));
        foreach (var address in Addresses)
        {
            for (var time = 0L; time <= 19_000; time += 500)
            {
                Assert.Equal(whole.NamesAt(address, time), grown.NamesAt(address, time));
            }
        }

        Assert.Empty(LedgerDelta.Of([.. first, .. news], second));
    }, iter: 300);

    private static (ResolvedBy By, IEnumerable<ulong> Ids) Scan(IdentityInterval[] standing, string scope, NetAddress address, long time)
    {
        var claims = standing.Where(said => said.Entity.Scope == scope && said.ValidFromUs <= time && (said.ValidToUs is not { } to || time < to)
            && BitsOf(said.Address).StartsWith(BitsOf(address)[..said.PrefixLength], StringComparison.Ordinal)).ToArray();
        foreach (var prefix in claims.Select(said => said.PrefixLength).Distinct().OrderDescending())
        {
            var ids = claims.Where(said => said.PrefixLength == prefix).Select(said => said.Entity.Id).ToHashSet();
            if (ids.Count > 0)
            {
                return (ids.Count > 1 ? ResolvedBy.Ambiguous : prefix == 128 ? ResolvedBy.AsOf : ResolvedBy.Cidr, ids.Order());
            }
        }

        return (ResolvedBy.Unknown, []);
    }

    private static string BitsOf(NetAddress address) => string.Concat(address.ToBytes().Select(one => one.ToString("b8")));

    private static string Text(NameSpan span) => $"{span.Scope} {span.Address}/{span.PrefixLength} [{span.FromUs},{span.ToUs}) {span.LearnedAtUs} "
        + string.Join(',', span.Candidates.Select(entity => $"{entity.Name}:{entity.Labels["v"]}"));
}
