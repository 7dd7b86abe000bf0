using Flows.Capture;
using Flows.Capture.Owners;
using Flows.Core.Facts;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Owners;

/// <summary>Slots, caches and names: bounded, and each owner told once.</summary>
public sealed class OwnerNamesTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly NodeNotes notes = new();
    private readonly OwnerTable owners = new();

    public void Dispose() => owners.Dispose();

    [Fact]
    public void Owners_without_a_path_are_users_and_each_is_reported_once()
    {
        var names = Names("boot-1");
        var slots = new[] { new OwnerKey(1, 0, 0), new OwnerKey(1, 1000, 0), new OwnerKey(0, 1000, 0), new OwnerKey(1, 0, 0) }.Select(key => owners.SlotOf(in key)).ToList();
        Assert.Equal(slots[0], slots[3]);
        Assert.Equal(0UL, owners.IdOf(slots[0]));
        Assert.False(names.Turn());

        var facts = notes.Take().Owners;
        Assert.Equal([("user", "0", 0u), ("user", "1000", 1000u)], facts.Select(fact => (fact.Kind, fact.Name, fact.Uid)));
        Assert.Equal(facts[0].OwnerId, owners.IdOf(slots[0]));
        Assert.Equal(facts[1].OwnerId, owners.IdOf(slots[1]));
        Assert.Equal(facts[1].OwnerId, owners.IdOf(slots[2]));
        names.Turn();
        Assert.Empty(notes.Take().Owners);
    }

    [Fact]
    public void An_id_is_the_same_for_the_same_unit_and_another_after_a_boot_and_for_another_user_of_a_crowd()
    {
        var names = Names("boot-1");
        var unit = names.Tell("/system.slice/nginx.service", 0, null);
        Assert.Equal(("unit", "nginx.service", "nginx.service"), (unit.Kind, unit.Name, unit.Unit));
        Assert.Equal(unit.OwnerId, names.Tell("/system.slice/nginx.service", 33, new ProcessKind("/usr/sbin/nginx", 33, "", 5)).OwnerId);
        Assert.NotEqual(unit.OwnerId, Names("boot-2").Tell("/system.slice/nginx.service", 0, null).OwnerId);
        var session = "/user.slice/user-7.slice/session-3.scope";
        Assert.NotEqual(names.Tell(session, 7, null).OwnerId, names.Tell(session, 0, null).OwnerId);
        Assert.NotEqual(
            names.Tell("/", 7, new ProcessKind("/usr/bin/curl", 7, "/", 5)).OwnerId, names.Tell("/", 7, new ProcessKind("/usr/bin/ssh", 7, "/", 6)).OwnerId);
    }

    [Fact]
    public void The_table_of_owners_is_bounded_and_an_owner_that_made_room_comes_again()
    {
        var first = new OwnerKey(7, 7, 0);
        var slot = owners.SlotOf(in first);
        owners.Name(slot, 99);
        for (var uid = 0u; uid < 40_000; uid++)
        {
            owners.SlotOf(new OwnerKey(1, uid, 0));
        }

        Assert.Equal(0UL, owners.IdOf(slot));
        var again = owners.SlotOf(in first);
        Assert.NotEqual(slot, again);
        var waiting = 0;
        while (owners.TryTakeUnnamed(out _, out _))
        {
            waiting++;
        }

        Assert.InRange(waiting, 1, 32_768);
    }

    [Fact]
    public void The_cache_keeps_what_is_used_and_is_bounded()
    {
        var cache = new OwnerCache(sets: 2);
        var kept = Key(0);
        cache.Put(in kept, new FlowEnds(new SocketEnd(5, 6), default));
        for (var port = 1; port < 5000; port++)
        {
            cache.Put(Key(port), default);
            Assert.True(cache.TryGet(in kept, out var ends) && ends.Low == new SocketEnd(5, 6));
        }

        Assert.Equal(16, cache.Capacity);
        Assert.InRange(Enumerable.Range(0, 5000).Count(port => cache.TryGet(Key(port), out _)), 2, 16);
        cache.Merge(in kept, new FlowEnds(default, new SocketEnd(8, 0)));
        Assert.True(cache.TryGet(in kept, out var both));
        Assert.Equal(new FlowEnds(new SocketEnd(5, 6), new SocketEnd(8, 0)), both);

        for (var port = 0; port < 20_000; port++)
        {
            cache.PutListener(NetAddress.Parse("10.0.0.1"), (ushort)port, IpProtocol.Tcp, new SocketEnd(1, 1), timestamp: port);
        }

        Assert.InRange(cache.Listeners, 1, 8192);
        Assert.True(cache.TryListener(NetAddress.Parse("10.0.0.1"), 19_999, IpProtocol.Tcp, 19_999, out _));
        Assert.False(cache.TryListener(NetAddress.Parse("10.0.0.1"), 19_999, IpProtocol.Tcp, 20_000, out _));
        Assert.False(cache.TryListener(NetAddress.Parse("10.0.0.1"), 19_999, IpProtocol.Udp, 0, out _));
    }

    [Fact]
    public void A_waiting_resolver_is_woken_by_a_question_and_by_a_stop()
    {
        var queue = new OwnerQueue(2);
        var taken = new OwnerQuestion[2];
        var waiter = new Thread(() =>
        {
            while (queue.Take(taken) == 0)
            {
                queue.Wait(TimeSpan.FromSeconds(30));
            }
        });
        waiter.Start();
        Assert.True(queue.TryAdd(new OwnerQuestion { Key = Key(7) }));
        Assert.True(waiter.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(Key(7), taken[0].Key);
        queue.Wake();
        queue.Wait(TimeSpan.FromSeconds(30));
        Assert.True(queue.TryAdd(default) && queue.TryAdd(default) && !queue.TryAdd(default));
        Assert.Equal(2, queue.Count);
    }

    private OwnerNames Names(string boot) => new("node-1", boot, owners, new CgroupTree("", _ => 0, time), null, notes, time);

    private static OwnerFlowKey Key(int port) =>
        OwnerFlowKey.Of(NetAddress.Parse("10.0.0.1"), (ushort)port, NetAddress.Parse("10.0.0.2"), 80, IpProtocol.Tcp, out _);
}
