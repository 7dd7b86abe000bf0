using System.Buffers.Binary;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Doctor.Asks;

/// <summary>The questions that the checks ask: numbers from linux/netfilter/nfnetlink*.h, nf_tables.h, linux/inet_diag.h.</summary>
internal static class NetlinkQuestion
{
    public const int Netfilter = NetlinkNative.NetlinkNetfilter;
    public const int SockDiag = 4;

    public const ushort ConntrackStats = (1 << 8) | 5;
    public const ushort NftChains = (10 << 8) | 4;
    public const ushort NftRules = (10 << 8) | 7;
    public const ushort NftFlowtables = (10 << 8) | 23;
    public const ushort Hooks = (12 << 8) | 0;
    public const ushort SockDiagByFamily = 20;

    private const byte Ipv4 = 2;
    private const byte Tcp = 6;

    /// <summary>The entries that conntrack holds in this namespace: the smallest question that it answers.</summary>
    public static byte[] OfConntrackStats() => Message(ConntrackStats, 0, [0, 0, 0, 0]);

    /// <summary>All of a kind of nf_tables objects, of every family.</summary>
    public static byte[] OfNft(ushort what) => Message(what, NlMsg.FlagDump, [0, 0, 0, 0]);

    /// <summary>The functions that are registered at IPv4's prerouting hook (nfnetlink_hook, since Linux 5.14 where it is built).</summary>
    public static byte[] OfHooks()
    {
        // nfgenmsg, then NFNLA_HOOK_HOOKNUM (1) = NF_INET_PRE_ROUTING (0).
        return Message(Hooks, NlMsg.FlagDump, [Ipv4, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0]);
    }

    /// <summary>All TCP sockets over IPv4: struct inet_diag_req_v2 with every state.</summary>
    public static byte[] OfTcpSockets()
    {
        var request = new byte[56];
        request[0] = Ipv4;
        request[1] = Tcp;
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), 0xFFFFFFFF);
        return Message(SockDiagByFamily, NlMsg.FlagDump, request);
    }

    private static byte[] Message(ushort type, ushort flags, ReadOnlySpan<byte> payload)
    {
        var message = new byte[NlMsg.HeaderLength + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), (ushort)(NlMsg.FlagRequest | flags));
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), 1);
        payload.CopyTo(message.AsSpan(NlMsg.HeaderLength));
        return message;
    }
}
