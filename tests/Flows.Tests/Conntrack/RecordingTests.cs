using System.Buffers.Binary;
using System.Text;
using Flows.Capture;
using Flows.Capture.Recording;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Conntrack;

public sealed class RecordingTests
{
    [Fact]
    public void A_recording_is_made_of_whole_blocks_with_its_comments_names_and_times()
    {
        using var stream = new MemoryStream();
        using var writer = new RecordingWriter(stream, 1 << 20, "flows.node=n1", "flows.scope=s1");
        Assert.Equal(0, writer.AddInterface("conntrack", RecordingWriter.LinkTypeNetlink));
        Assert.Equal(1, writer.AddInterface("eth0", RecordingWriter.LinkTypeEthernet));
        Assert.True(writer.WriteNetlink(0, [1, 2, 3, 4, 5], 1_700_000_000_000_001));
        Assert.True(writer.Write(1, new byte[60], 1500, 1_700_000_000_000_002));

        var blocks = Blocks(stream.ToArray());
        Assert.Equal([0x0A0D0D0Au, 1, 1, 6, 6], blocks.Select(block => block.Type));
        Assert.Contains("flows.scope=s1", Encoding.UTF8.GetString(blocks[0].Body));
        Assert.Equal(253, blocks[1].Body[0]);
        Assert.Contains("eth0", Encoding.UTF8.GetString(blocks[2].Body));
        var packet = blocks[3].Body;
        var timeUs = ((long)BinaryPrimitives.ReadUInt32LittleEndian(packet.AsSpan(4)) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(packet.AsSpan(8));
        Assert.Equal(1_700_000_000_000_001, timeUs);
        Assert.Equal([0, 0, 3, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 2, 3, 4, 5], packet[20..41]);
        Assert.Equal(1500u, BinaryPrimitives.ReadUInt32LittleEndian(blocks[4].Body.AsSpan(16)));
        Assert.Equal(stream.Length, writer.Length);
    }

    [Fact]
    public void What_does_not_fit_is_left_out_and_counted()
    {
        using var stream = new MemoryStream();
        using var writer = new RecordingWriter(stream, 300);
        writer.AddInterface("eth0", RecordingWriter.LinkTypeEthernet);
        Assert.True(writer.Write(0, new byte[100], 100, 1));
        Assert.False(writer.Write(0, new byte[100], 100, 2));
        Assert.Equal(1, writer.LeftOut);
        Assert.Equal(3, Blocks(stream.ToArray()).Count);
    }

    [Fact]
    public void A_replay_passes_over_other_netlink_families_and_ends_what_a_cut_recording_left_open()
    {
        var rows = new List<FlowRow>();
        var replay = new ConntrackReplay(new ObservationPoint("n", "s"), (in FlowRow row) => rows.Add(row), new HopAccount("conntrack", "events"));
        byte[] datagram = new CtMessage { IsNew = true, TcpState = 1 }.Build();
        replay.OnPacket([0, 0, 3, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. datagram], 1_000_000);
        replay.Complete();
        Assert.Empty(rows);

        replay.OnPacket([0, 0, 3, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, .. datagram], 1_000_000);
        replay.Complete();
        Assert.Equal((EndReason.Forced, FlowState.Unanswered), (Assert.Single(rows).EndReason, rows[0].State));
    }

    private static List<(uint Type, byte[] Body)> Blocks(ReadOnlySpan<byte> file)
    {
        var blocks = new List<(uint, byte[])>();
        while (!file.IsEmpty)
        {
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
            Assert.Equal(0, length % 4);
            Assert.Equal(length, (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(length - 4)..]));
            blocks.Add((BinaryPrimitives.ReadUInt32LittleEndian(file), file[8..(length - 4)].ToArray()));
            file = file[length..];
        }

        return blocks;
    }
}
