using Flows.Capture.Names;
using Flows.Core;
using Flows.Core.Facts;
using Xunit;

namespace Flows.Tests.Names;

public sealed class NameCacheTests
{
    private static readonly NetAddress Client = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress Address = NetAddress.Parse("192.0.2.1");
    private static readonly byte[] Name = [1, (byte)'a', 7, .. "example"u8, 0];

    [Fact]
    public void A_client_that_asks_all_the_time_is_reported_now_and_then()
    {
        var cache = new NameCache();
        var reported = Enumerable.Range(0, 3600).Count(second => cache.IsNews(Client, Name, Address, 60, second * UnixTime.Second));
        Assert.Equal(60, reported);
        Assert.True(cache.IsNews(NetAddress.Parse("10.0.0.2"), Name, Address, 60, 0));
        Assert.True(cache.IsNews(Client, Name, NetAddress.Parse("192.0.2.2"), 60, 0));
        Assert.True(cache.IsNews(Client, [1, (byte)'b', .. Name.AsSpan(2)], Address, 60, 0));
    }

    [Fact]
    public void Whatever_a_client_may_still_use_is_covered_by_a_report_and_its_grace()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        uint[] ttls = [0, 5, 30, 60, 299, 300, 3600, 86_400];
        for (var run = 0; run < 200; run++)
        {
            var cache = new NameCache();
            var coveredTo = long.MinValue;
            var (time, reports) = (0L, 0);
            for (var question = 0; question < 500; question++)
            {
                time += random.NextInt64(200 * UnixTime.Second);
                var ttl = ttls[random.Next(ttls.Length)];
                if (cache.IsNews(Client, Name, Address, ttl, time))
                {
                    coveredTo = Math.Max(coveredTo, time + (ttl * UnixTime.Second) + NameCache.GraceUs);
                    reports++;
                }

                Assert.True(time + (ttl * UnixTime.Second) <= coveredTo, $"run {run}: at {time} µs a TTL of {ttl} s was held back, and what was reported ends at {coveredTo}");
            }

            Assert.InRange(reports, 1, 500);
        }
    }

    [Fact]
    public void A_flood_of_names_costs_repeats_and_no_memory()
    {
        var cache = new NameCache();
        var name = Name.AsSpan().ToArray();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < NameCache.Places * 4; i++)
            {
                BitConverter.TryWriteBytes(name.AsSpan(2), i);
                var news = cache.IsNews(Client, name, Address, 300, i);
                Assert.True(news || round == 1);
            }
        }
    }
}
