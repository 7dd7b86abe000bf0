using System.Buffers.Binary;
using Flows.Capture.Conntrack;
using Flows.Capture.Owners;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Owners;

/// <summary>Questions to and answers from the kernel, byte by byte.</summary>
public sealed class SockDiagTests
{
    private static readonly SocketTuple Web = new(NetAddress.Parse("10.0.0.1"), NetAddress.Parse("10.0.0.2"), 40000, 80, IpProtocol.Tcp);

    [Fact]
    public void A_lookup_of_a_TCP_socket_is_what_the_kernel_reads()
    {
        var request = new byte[SockDiag.RequestLength];
        Assert.Equal(72, SockDiag.WriteLookup(request, 0x01020304, in Web));
        Assert.Equal(
            "48000000" + "1400" + "0100" + "04030201" + "00000000" // length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, sequence, port id
            + "02060000" + "FFFFFFFF" // AF_INET, IPPROTO_TCP, no extensions, all states
            + "9C40" + "0050" + "0A000001" + new string('0', 24) + "0A000002" + new string('0', 24) + "00000000" + "FFFFFFFFFFFFFFFF",
            Convert.ToHexString(request));
    }

    [Fact]
    public void A_lookup_of_a_UDP_socket_names_the_remote_end_first()
    {
        var request = new byte[SockDiag.RequestLength];
        SockDiag.WriteLookup(request, 1, new SocketTuple(NetAddress.Parse("fd00::1"), NetAddress.Parse("fd00::2"), 53, 9999, IpProtocol.Udp));
        Assert.Equal("0A110000", Convert.ToHexString(request, 16, 4));
        Assert.Equal("270F" + "0035", Convert.ToHexString(request, 24, 4));
        Assert.Equal("FD000000000000000000000000000002" + "FD000000000000000000000000000001", Convert.ToHexString(request, 28, 32));
    }

    [Fact]
    public void A_dump_asks_for_what_has_an_owner()
    {
        var request = new byte[SockDiag.RequestLength];
        Assert.Equal(72, SockDiag.WriteDump(request, 9, SockDiag.Inet6, IpProtocol.Tcp, SockDiag.StatesOwned));
        Assert.Equal(0x301, BinaryPrimitives.ReadUInt16LittleEndian(request.AsSpan(6)));
        var states = BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(20));
        Assert.Equal((0u, 0u, 0u), (states & (1 << 6), states & (1 << 3), states & (1 << 12)));
        Assert.NotEqual(0u, states & (1 << 1));
        Assert.NotEqual(0u, states & (1 << 10));
    }

    [Fact]
    public void An_answer_gives_user_inode_and_cgroup()
    {
        var payload = Answer(SockDiag.Inet, 1, 1000, 4711, 0x1_0000_0042);
        Assert.True(SockDiag.TryRead(payload, IpProtocol.Tcp, out var socket));
        Assert.Equal(new DiagSocket(Web, 1, 1000, 4711, 0x1_0000_0042), socket);
        Assert.False(socket.IsMini || socket.IsListener || socket.IsOrphan);
    }

    [Fact]
    public void A_mapped_address_of_a_dual_stack_socket_is_the_IPv4_address()
    {
        var payload = Answer(SockDiag.Inet6, SockDiag.TcpListen, 0, 8, 1);
        NetAddress.Parse("10.0.0.1").Write(payload.AsSpan(8));
        NetAddress.Parse("10.0.0.2").Write(payload.AsSpan(24));
        Assert.True(SockDiag.TryRead(payload, IpProtocol.Tcp, out var socket));
        Assert.Equal(Web, socket.Tuple);
        Assert.True(socket.IsListener);
    }

    [Fact]
    public void A_mini_socket_has_no_owner_and_an_orphan_keeps_its_cgroup()
    {
        Assert.True(SockDiag.TryRead(Answer(SockDiag.Inet, 6, 0, 0, null), IpProtocol.Tcp, out var waiting));
        Assert.True(waiting.IsMini);
        Assert.True(SockDiag.TryRead(Answer(SockDiag.Inet, 4, 0, 0, 25), IpProtocol.Tcp, out var closing));
        Assert.True(closing is { IsMini: false, IsOrphan: true });
        Assert.True(default(DiagSocket).IsMini);
    }

    [Fact]
    public void Hostile_bytes_are_refused_without_an_exception()
    {
        const int Seed = 7321;
        var random = new Random(Seed);
        var whole = Answer(SockDiag.Inet, 1, 1000, 4711, 5);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.True(length >= 72 || !SockDiag.TryRead(whole.AsSpan(0, length), IpProtocol.Tcp, out _), $"seed {Seed}");
        }

        for (var run = 0; run < 50_000; run++)
        {
            var bytes = whole.ToArray();
            for (var flip = random.Next(1, 8); flip > 0; flip--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            SockDiag.TryRead(bytes.AsSpan(0, random.Next(bytes.Length + 1)), IpProtocol.Udp, out _);
        }

        Assert.Equal(2, SockDiag.ErrorOf([0xFE, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(0, SockDiag.ErrorOf([1]));
    }

    /// <summary>The payload of an inet_diag answer about <see cref="Web"/>.</summary>
    internal static byte[] Answer(byte family, byte state, uint uid, uint inode, ulong? cgroup)
    {
        var head = new byte[72];
        (head[0], head[1]) = (family, state);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(4), Web.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(6), Web.RemotePort);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(8), (uint)Web.Local.Low);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(24), (uint)Web.Remote.Low);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(64), uid);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(68), inode);

        // INET_DIAG_SHUTDOWN and INET_DIAG_MARK stand before INET_DIAG_CGROUP_ID, INET_DIAG_SOCKOPT behind it, as Linux 6.18 sends them.
        byte[] id = cgroup is { } number ? CtMessage.Attribute(21, BitConverter.GetBytes(number)) : [];
        return [.. head, .. CtMessage.Attribute(8, [0]), .. CtMessage.Attribute(15, new byte[4]), .. id, .. CtMessage.Attribute(22, new byte[2])];
    }
}
