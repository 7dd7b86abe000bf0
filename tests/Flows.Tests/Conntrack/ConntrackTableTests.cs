using System.Runtime.CompilerServices;
using CsCheck;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Xunit;

namespace Flows.Tests.Conntrack;

public sealed class ConntrackTableTests
{
    [Fact]
    public void It_holds_what_a_dictionary_holds() => Gen.Select(Gen.UShort[0, 300], Gen.Bool).Array[0, 2000].Sample(
        steps =>
        {
            var table = new ConntrackTable { EntriesMax = 1000 };
            var oracle = new Dictionary<ConntrackKey, uint>();
            foreach (var (port, add) in steps)
            {
                var key = new ConntrackKey(TupleOf(port), (ushort)(port % 3));
                var hash = table.HashOf(key.Orig, key.Zone);
                var index = table.Find(key.Orig, key.Zone, hash);
                Assert.Equal(oracle.TryGetValue(key, out var id), index >= 0);
                if (index >= 0)
                {
                    Assert.Equal(id, table[index].Id);
                    if (!add)
                    {
                        table.Remove(index);
                        oracle.Remove(key);
                    }
                }
                else if (add)
                {
                    oracle[key] = port;
                    table.Insert(new ConntrackEntry { Orig = key.Orig, Zone = key.Zone, Id = port }, hash);
                }

                Assert.Equal(oracle.Count, table.Count);
            }
        },
        iter: 200);

    [Fact]
    public void It_grows_without_moving_an_entry_and_starts_again_empty()
    {
        const int Count = 40_000;
        var table = new ConntrackTable();
        var first = table.Insert(EntryOf(0), table.HashOf(TupleOf(0), 0));
        ref var place = ref table[first];
        for (var i = 1; i < Count; i++)
        {
            table.Insert(EntryOf(i), table.HashOf(TupleOf(i), 0));
        }

        Assert.True(Unsafe.AreSame(ref place, ref table[first]));
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal((uint)i, table[table.Find(TupleOf(i), 0, table.HashOf(TupleOf(i), 0))].Id);
        }

        table.Clear();
        Assert.Equal(-1, table.Find(TupleOf(1), 0, table.HashOf(TupleOf(1), 0)));
        Assert.Equal(0, table.Insert(EntryOf(1), table.HashOf(TupleOf(1), 0)));
    }

    [Fact]
    public void An_entry_is_no_larger_than_the_limits_say() => Assert.True(Unsafe.SizeOf<ConntrackEntry>() <= 216, $"{Unsafe.SizeOf<ConntrackEntry>()} bytes");

    private static ConntrackEntry EntryOf(int number) => new() { Orig = TupleOf(number), Id = (uint)number };

    private static ConntrackTuple TupleOf(int number) =>
        new(NetAddress.FromV4((uint)number), NetAddress.FromV4(1), (ushort)number, 80, IpProtocol.Tcp, 0);
}
