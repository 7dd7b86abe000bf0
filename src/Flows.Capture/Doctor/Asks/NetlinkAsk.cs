using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Doctor.Asks;

/// <summary>Puts one question to a netlink family and gathers the answer, bounded in bytes and time.</summary>
internal static unsafe class NetlinkAsk
{
    // The rules of a node with ten thousand services are some megabytes; what is beyond is not read.
    private const int AnswerBytesMax = 8 << 20;
    private const int BufferBytes = 64 << 10;
    private const int SilenceMs = 400;
    private const int TimeMaxMs = 1000;
    private const int InvalidArgument = 22;

    /// <summary>Sends a message as <see cref="NetlinkQuestion"/> makes them, in the network namespace of the calling thread.</summary>
    public static NetlinkAnswer Ask(int family, byte[] question)
    {
        var fd = NetlinkNative.Socket(NetlinkNative.AfNetlink, NetlinkNative.SockRaw | NetlinkNative.SockCloexec, family);
        if (fd < 0)
        {
            return new NetlinkAnswer(Marshal.GetLastPInvokeError(), true, []);
        }

        try
        {
            fixed (byte* bytes = question)
            {
                return NetlinkNative.Send(fd, bytes, (nuint)question.Length, 0) == question.Length
                    ? Gather(fd, isDump: (BinaryPrimitives.ReadUInt16LittleEndian(question.AsSpan(6)) & NlMsg.FlagDump) == NlMsg.FlagDump)
                    : new NetlinkAnswer(Marshal.GetLastPInvokeError(), true, []);
            }
        }
        finally
        {
            _ = NetlinkNative.Close(fd);
        }
    }

    private static NetlinkAnswer Gather(int fd, bool isDump)
    {
        var parts = new List<NetlinkPart>();
        var buffer = new byte[BufferBytes];
        var started = Environment.TickCount64;
        var bytes = 0;
        while (bytes < AnswerBytesMax && Environment.TickCount64 - started < TimeMaxMs)
        {
            var wait = new NetlinkNative.PollFd { Fd = fd, Events = NetlinkNative.PollIn };
            if (NetlinkNative.Poll(&wait, 1, SilenceMs) <= 0)
            {
                break;
            }

            nint got;
            fixed (byte* pointer = buffer)
            {
                got = NetlinkNative.Receive(fd, pointer, BufferBytes, NetlinkNative.MsgDontwait);
            }

            if (got < 0)
            {
                return new NetlinkAnswer(Marshal.GetLastPInvokeError(), false, parts);
            }

            bytes += (int)got;
            if (Take(buffer.AsSpan(0, (int)got), isDump, parts) is { } errno)
            {
                return new NetlinkAnswer(errno, true, parts);
            }
        }

        return new NetlinkAnswer(0, false, parts);
    }

    /// <summary>Adds the messages of a datagram. Returns how the answer ended (0 or an errno), or null if it goes on.</summary>
    private static int? Take(ReadOnlySpan<byte> datagram, bool isDump, List<NetlinkPart> parts)
    {
        var reader = new NetlinkReader(datagram);
        while (reader.Next())
        {
            if (reader.Malformed)
            {
                return InvalidArgument;
            }

            switch (reader.Type)
            {
                case NlMsg.Done:
                    return 0;
                case NlMsg.Error:
                    return reader.Payload.Length < sizeof(int) ? InvalidArgument : -BinaryPrimitives.ReadInt32LittleEndian(reader.Payload);
                default:
                    parts.Add(new NetlinkPart(reader.Type, reader.Payload.ToArray()));
                    break;
            }
        }

        return isDump || parts.Count == 0 ? null : 0;
    }
}
