using System.Buffers.Binary;
using Flows.Capture.Live;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture.Live;

/// <summary>Runs the kernel's filter program on frames, by an interpreter of the few instructions that it has.</summary>
public sealed class CaptureProgramTests
{
    private static readonly NetAddress A4 = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress B4 = NetAddress.Parse("10.0.0.2");
    private static readonly NetAddress A6 = NetAddress.Parse("fd00::1");
    private static readonly NetAddress B6 = NetAddress.Parse("fd00::2");

    [Theory]
    [InlineData(4000, 53, IpProtocol.Udp, CaptureProgram.NamesBytes)]
    [InlineData(53, 4000, IpProtocol.Udp, CaptureProgram.NamesBytes)]
    [InlineData(53, 4000, IpProtocol.Tcp, CaptureProgram.NamesBytes)]
    [InlineData(4000, 53, IpProtocol.Tcp, CaptureProgram.NamesBytes)]
    [InlineData(4000, 54, IpProtocol.Udp, CaptureProgram.HeaderBytes)]
    [InlineData(5353, 4000, IpProtocol.Tcp, CaptureProgram.HeaderBytes)]
    [InlineData(53, 53, IpProtocol.Sctp, CaptureProgram.HeaderBytes)]
    public void Port_53_is_kept_whole_and_the_rest_to_its_headers(int srcPort, int dstPort, byte protocol, int kept)
    {
        var transport = protocol == IpProtocol.Tcp ? Frames.Tcp((ushort)srcPort, (ushort)dstPort, TcpFlags.Ack, payload: 500) : Frames.Udp((ushort)srcPort, (ushort)dstPort, 500);
        foreach (var packet in new[] { Frames.Ip(A4, B4, protocol, transport), Frames.Ip(A6, B6, protocol, transport) })
        {
            var isNames = kept == CaptureProgram.NamesBytes;
            foreach (var (linkType, frame) in Framed(packet))
            {
                Assert.Equal(kept, Run(CaptureProgram.For(linkType, InterfaceFilter.All), frame));
                Assert.Equal(isNames ? kept : 0, Run(CaptureProgram.For(linkType, InterfaceFilter.NamesOnly), frame));
            }
        }
    }

    [Fact]
    public void A_later_fragment_has_no_ports_to_look_at()
    {
        var packet = Frames.Ip(A4, B4, IpProtocol.Udp, Frames.Udp(53, 4000, 500), fragment: 0x2001);
        var first = Frames.Ip(A4, B4, IpProtocol.Udp, Frames.Udp(53, 4000, 500), fragment: 0x2000);
        Assert.Equal(CaptureProgram.HeaderBytes, Run(CaptureProgram.For(LinkType.Ethernet, InterfaceFilter.All), Frames.Ethernet(packet)));
        Assert.Equal(CaptureProgram.NamesBytes, Run(CaptureProgram.For(LinkType.Ethernet, InterfaceFilter.All), Frames.Ethernet(first)));
    }

    [Fact]
    public void No_frame_however_short_or_odd_is_rejected_by_the_ordinary_program()
    {
        var random = new Random(7);
        foreach (var linkType in new[] { LinkType.Ethernet, LinkType.LinuxSll, LinkType.LinuxSll2, LinkType.Raw, LinkType.RawBsd, LinkType.Ipv4, LinkType.Ipv6, LinkType.Ppp })
        {
            var program = CaptureProgram.For(linkType, InterfaceFilter.All);
            var whole = CaptureProgram.For(linkType, InterfaceFilter.NamesOnly);
            for (var turn = 0; turn < 20_000; turn++)
            {
                var frame = new byte[random.Next(turn % 2 == 0 ? 80 : 400)];
                random.NextBytes(frame);
                Assert.True(Run(program, frame) is CaptureProgram.HeaderBytes or CaptureProgram.NamesBytes);
                Assert.True(Run(whole, frame) is 0 or CaptureProgram.NamesBytes);
            }
        }
    }

    private static IEnumerable<(int LinkType, byte[] Frame)> Framed(byte[] packet)
    {
        yield return (LinkType.Ethernet, Frames.Ethernet(packet));
        yield return (LinkType.RawBsd, packet);
        byte[] type = packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xDD];
        yield return (LinkType.LinuxSll, [.. new byte[14], .. type, .. packet]);
        yield return (LinkType.LinuxSll2, [.. type, .. new byte[18], .. packet]);
    }

    /// <summary>linux/filter.h, net/core/filter.c: a load beyond the end returns 0; a program ends by a return.</summary>
    private static int Run(FilterInstruction[] program, byte[] frame)
    {
        uint a = 0;
        uint x = 0;
        for (var at = 0; at < program.Length; at++)
        {
            var one = program[at];
            switch (one.Code)
            {
                case 0x00: a = one.Value; break;
                case 0x80: a = (uint)frame.Length; break;
                case 0x28 or 0x48:
                    var offset = one.Value + (one.Code == 0x48 ? x : 0);
                    if (offset + 2 > frame.Length) { return 0; }
                    a = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan((int)offset));
                    break;
                case 0x30:
                    if (one.Value >= frame.Length) { return 0; }
                    a = frame[one.Value];
                    break;
                case 0xB1:
                    if (one.Value >= frame.Length) { return 0; }
                    x = (frame[one.Value] & 0xFu) * 4;
                    break;
                case 0x15: at += a == one.Value ? one.IfTrue : one.IfFalse; break;
                case 0x25: at += a > one.Value ? one.IfTrue : one.IfFalse; break;
                case 0x45: at += (a & one.Value) != 0 ? one.IfTrue : one.IfFalse; break;
                case 0x16: return (int)a;
                default: Assert.Fail($"instruction {one.Code:x}"); break;
            }
        }

        Assert.Fail("the program has no end");
        return 0;
    }
}
