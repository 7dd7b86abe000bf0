using System.Buffers.Binary;
using System.Text;
using Flows.Capture.Live;
using Xunit;

namespace Flows.Tests.Capture.Live;

public sealed class LinkMessageTests
{
    [Fact]
    public void Name_state_and_counters_are_read()
    {
        Assert.True(LinkMessage.TryParse(LinkMessage.TypeNew, Payload("veth1", up: true), out var link));
        Assert.Equal((7, "veth1", true, false), (link.Index, link.Name, link.IsUp, link.IsGone));
        Assert.Equal(new LinkCounters(100, 11 + 14 + 15, 6), link.Counters);
        Assert.True(LinkMessage.TryParse(LinkMessage.TypeDelete, Payload("veth1", up: false), out link));
        Assert.Equal((false, true), (link.IsUp, link.IsGone));
    }

    [Fact]
    public void A_port_that_leaves_a_bridge_is_not_an_interface_that_goes() =>
        Assert.False(LinkMessage.TryParse(LinkMessage.TypeDelete, Payload("veth1", up: true, family: 7), out _));

    [Fact]
    public void Every_prefix_and_every_flip_is_read_or_refused()
    {
        var whole = Payload("veth1", up: true);
        for (var length = 0; length < whole.Length; length++)
        {
            LinkMessage.TryParse(LinkMessage.TypeNew, whole.AsSpan(0, length), out _);
        }

        var random = new Random(5);
        for (var turn = 0; turn < 20_000; turn++)
        {
            var mutated = (byte[])whole.Clone();
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            LinkMessage.TryParse(LinkMessage.TypeNew, mutated, out _);
        }
    }

    private static byte[] Payload(string name, bool up, byte family = 0)
    {
        var header = new byte[16];
        header[0] = family;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), 7);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), up ? 0x1003u : 0x1002u);
        var stats = new byte[25 * 8];
        for (var field = 0; field < 25; field++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(stats.AsSpan(field * 8), field == 0 ? 100ul : (ulong)field);
        }

        return [.. header, .. Attribute(3, [.. Encoding.UTF8.GetBytes(name), 0]), .. Attribute(4, [1, 2, 3, 4]), .. Attribute(23, stats)];
    }

    private static byte[] Attribute(ushort type, byte[] value)
    {
        var bytes = new byte[(4 + value.Length + 3) & ~3];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), type);
        value.CopyTo(bytes, 4);
        return bytes;
    }
}
