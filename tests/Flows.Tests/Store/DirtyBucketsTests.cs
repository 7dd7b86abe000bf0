using Flows.Core;
using Flows.Core.Identity;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

/// <summary>A change of names rebuilds exactly the minutes in which a touched address spoke within a changed span.</summary>
public sealed class DirtyBucketsTests : IDisposable
{
    private const long Minute = UnixTime.Minute;
    private readonly string directory = Directory.CreateTempSubdirectory("flows-dirty-").FullName;
    private readonly FlowStore store;

    public DirtyBucketsTests()
    {
        store = FlowStore.Open(directory, new FakeTimeProvider(UnixTime.FromUs(Some.TimeUs + (30 * Minute))), new StoreOptions { MemoryMaxMib = 256 });

        // 10.0.0.1 speaks at 0:10, 1:10 and 5:10, each sealed by itself; 10.0.0.9 at 3:10.
        foreach (var minute in (int[])[0, 1, 5])
        {
            store.Seal([Some.Record((ulong)minute + 1, "node-a", Some.Row(atUs: At(minute, 10), connId: (ulong)minute + 1, srcPort: (ushort)(4000 + minute)))]);
        }

        store.Seal([Some.Record(9, "node-a", Some.Row(src: "10.0.0.9", atUs: At(3, 10), connId: 99))]);
    }

    [Fact]
    public void Late_open_close_and_withdrawal_touch_their_span_only()
    {
        Assert.Equal(2, Rebuilt(Web(At(1, 0), null, learned: 1)));
        Assert.Equal(1, Rebuilt(Web(At(1, 0), At(2, 0), learned: 2)));
        Assert.Equal(1, Rebuilt(Web(At(1, 0), At(2, 0), learned: 3) with { RevokedAtUs = At(20, 3) }));
    }

    [Fact]
    public void End_after_the_last_word_of_a_minute_touches_nothing()
    {
        Assert.Equal(3, Rebuilt(Web(At(0, 0), null, learned: 1)));
        Assert.Equal(1, Rebuilt(Web(At(0, 0), At(1, 11), learned: 2)));
        Assert.Equal(0, Rebuilt(Web(At(0, 0), At(1, 10) + 1, learned: 3)));
        Assert.Equal(1, Rebuilt(Web(At(0, 0), At(1, 10), learned: 4)));
    }

    [Fact]
    public void Labels_the_future_and_silent_addresses_touch_nothing()
    {
        var web = Web(At(0, 0), null, learned: 1);
        Rebuilt(web);
        Assert.Equal(0, Rebuilt(web with { LearnedAtUs = web.LearnedAtUs + 1, Entity = web.Entity with { Labels = new Dictionary<string, string> { ["app"] = "other" } } }));
        Assert.Equal(0, Rebuilt(web with { LearnedAtUs = web.LearnedAtUs + 2, ValidToUs = At(6, 0) }));
        Assert.Equal(0, Rebuilt(Some.Identity(Some.Pod("next"), "10.0.0.1", At(7, 0), learnedAtUs: At(20, 5))));
        Assert.Equal(0, Rebuilt(Some.Identity(Some.Pod("mute"), "10.0.0.77", At(0, 0), learnedAtUs: At(20, 6))));
    }

    [Fact]
    public void Range_touches_the_minutes_of_its_addresses()
    {
        var range = Some.Pod("lab") with { Kind = EntityKind.Cidr };
        Assert.Equal(1, Rebuilt(Some.Identity(range, "10.0.0.8", At(0, 0), prefix: 125)));
        Assert.Equal(0, Rebuilt(Some.Identity(range, "10.0.0.8", At(0, 0), At(4, 0), learnedAtUs: At(20, 0), prefix: 125)));

        // What lies in both keeps its name at 3:10; the other end of that flow does not.
        Assert.Equal(3, Rebuilt(Some.Identity(Some.Pod("wide") with { Kind = EntityKind.Cidr }, "10.0.0.0", At(0, 0), At(4, 0), learnedAtUs: At(0, 0), prefix: 120)));
        Assert.Equal(2, Rebuilt(
            Some.Identity(Some.Pod("wide") with { Kind = EntityKind.Cidr }, "10.0.0.0", At(0, 0), At(1, 0), learnedAtUs: At(20, 9), prefix: 120),
            Some.Identity(Some.Pod("two") with { Kind = EntityKind.Cidr }, "10.0.0.0", At(1, 0), At(3, 0), learnedAtUs: At(20, 9), prefix: 126)));
    }

    [Fact]
    public void Translated_connection_is_touched_from_its_begin_on()
    {
        // Seen at the translating node 30 s after it began there: another witness may have met it before.
        store.Seal([Some.Record(20, "node-a", Some.Row(src: "10.0.0.50", dst: "10.96.0.1", natDst: "10.0.0.60", natDstPort: 8443, atUs: At(8, 40), connStartUs: At(8, 10), connId: 70))]);
        Assert.Equal(1, Rebuilt(Some.Identity(Some.Pod("backend"), "10.0.0.60", At(8, 5), At(8, 20))));
        Assert.Equal(0, Rebuilt(Some.Identity(Some.Pod("backend"), "10.0.0.60", At(8, 41))));
    }

    public void Dispose()
    {
        store.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static long At(int minute, int second) => Some.TimeUs + (minute * Minute) + (second * UnixTime.Second);

    private static IdentityInterval Web(long from, long? to, int learned) => Some.Identity(Some.Pod("web"), "10.0.0.1", from, to, At(20, learned));

    private long Rebuilt(params IdentityInterval[] statements)
    {
        var before = store.RebuiltBuckets;
        store.AddIdentities(statements);
        return store.RebuiltBuckets - before;
    }
}
