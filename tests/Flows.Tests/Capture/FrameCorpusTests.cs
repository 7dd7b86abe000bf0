using System.Globalization;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>
/// The kept frames: what each must decode to, and that it does however little of it was captured. To add frames, add them to
/// <see cref="FrameCorpus"/> and run with FLOWS_WRITE_CORPUS=1.
/// </summary>
public sealed class FrameCorpusTests
{
    [Fact]
    public void Every_frame_has_the_ends_and_bytes_that_it_should_have()
    {
        Assert.NotEmpty(FrameCorpus.Kept);
        Assert.All(FrameCorpus.Kept, frame =>
        {
            DecodedPacket packet = default;
            var result = PacketDecoder.Decode(frame.Bytes, frame.LinkType, frame.WireLength, ref packet);
            Assert.Equal(frame.Expected, Describe(frame.Bytes, result, in packet));
        });
    }

    [Fact]
    public void The_kept_frames_are_those_that_the_code_builds()
    {
        if (Environment.GetEnvironmentVariable("FLOWS_WRITE_CORPUS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FrameCorpus.File)!);
            File.WriteAllLines(FrameCorpus.File,
            [
                "# Frames that the decoder is tested on. Written by FrameCorpusTests with FLOWS_WRITE_CORPUS=1; one a line:",
                "# name | link type | bytes on the wire | what it is | captured bytes",
                .. FrameCorpus.Build().Select(frame => frame.ToString()),
            ]);
        }

        Assert.Equal(FrameCorpus.Build().Select(frame => frame.ToString()), FrameCorpus.Read().Select(frame => frame.ToString()));
    }

    [Fact]
    public void Every_truncation_of_every_frame_is_decoded_or_refused_for_one_reason()
    {
        var account = PacketTracker.NewAccount();
        var tracker = Fuzzing.NewTracker(account);
        var cuts = 0L;
        foreach (var frame in FrameCorpus.Kept)
        {
            for (var length = 0; length <= frame.Bytes.Length; length++, cuts++)
            {
                // A copy of exactly that many bytes: what lies behind a span would hide a read beyond its end.
                tracker.Track(frame.Bytes.AsSpan(0, length).ToArray(), frame.LinkType, frame.WireLength, timeUs: 0);
            }
        }

        tracker.Finish();
        Assert.Equal(cuts, account.Report().Seen);
        Assert.True(account.Report().Holds);
    }

    [Fact]
    public void Transport_offsets_point_at_the_ports_of_the_packet_that_is_counted()
    {
        foreach (var frame in FrameCorpus.Kept)
        {
            DecodedPacket packet = default;
            var result = PacketDecoder.Decode(frame.Bytes, frame.LinkType, frame.WireLength, ref packet);
            if (result != DecodeResult.Ok || packet.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
            {
                continue;
            }

            if (packet.Fragment == Fragment.Later)
            {
                Assert.Equal(0, packet.TransportOffset);
                continue;
            }

            Assert.Equal(packet.SrcPort, (frame.Bytes[packet.TransportOffset] << 8) | frame.Bytes[packet.TransportOffset + 1]);
            Assert.InRange(packet.EndIn(frame.Bytes), packet.TransportOffset + 4, frame.Bytes.Length);
        }
    }

    private static string Describe(byte[] frame, DecodeResult result, in DecodedPacket packet)
    {
        if (result != DecodeResult.Ok)
        {
            return result.Reason();
        }

        var suffix = packet.Fragment switch { Fragment.First => " first", Fragment.Later => " later", _ => "" };
        DecodedPacket quoted = default;
        if (packet.QuoteOffset != 0 && PacketDecoder.DecodeQuote(frame, packet.QuoteOffset, ref quoted))
        {
            suffix += " quotes " + Ends(in quoted);
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Ends(in packet)} {packet.IpBytes}{suffix}");
    }

    private static string Ends(in DecodedPacket packet) => string.Create(
        CultureInfo.InvariantCulture,
        $"{IpProtocol.NameOf(packet.Protocol)} {Host(packet.Src)}:{packet.SrcPort} > {Host(packet.Dst)}:{packet.DstPort}");

    private static string Host(NetAddress address) => address.IsV4 ? address.ToString() : $"[{address}]";
}
