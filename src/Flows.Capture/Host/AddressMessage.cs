using System.Buffers.Binary;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;

namespace Flows.Capture.Host;

/// <summary>What rtnetlink says of one address of an interface (linux/rtnetlink.h, linux/if_addr.h).</summary>
/// <param name="Address">Ours: on a point-to-point link the near end.</param>
/// <param name="CreatedTicks">When it came to be, in 1/100 s since the boot without sleep, modulo 2^32; null where the kernel does not say.</param>
internal readonly record struct AddressMessage(NetAddress Address, uint? CreatedTicks)
{
    /// <summary>NETLINK_ROUTE.</summary>
    public const int Family = 0;

    /// <summary>RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR.</summary>
    public const uint Groups = 0x10 | 0x100;

    /// <summary>RTM_NEWADDR and RTM_DELADDR.</summary>
    public const ushort New = 20;
    public const ushort Deleted = 21;

    public const int DumpRequestLength = NlMsg.HeaderLength + IfAddrLength;

    private const ushort GetAddress = 22;
    private const int IfAddrLength = 8;
    private const ushort AttributeAddress = 1;
    private const ushort AttributeLocal = 2;
    private const ushort AttributeCacheInfo = 6;

    // struct ifa_cacheinfo: ifa_prefered, ifa_valid, cstamp, tstamp.
    private const int CacheInfoLength = 16;
    private const int CreatedOffset = 8;

    /// <summary>Writes the question for all addresses of the network namespace.</summary>
    public static void WriteDumpRequest(Span<byte> request)
    {
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], GetAddress);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], NlMsg.FlagRequest | NlMsg.FlagDump);
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out AddressMessage message)
    {
        message = default;
        if (payload.Length < IfAddrLength)
        {
            return false;
        }

        // IFA_ADDRESS is the peer on a point-to-point link; IFA_LOCAL, where present, is ours.
        var attributes = new AttributeReader(payload[IfAddrLength..]);
        NetAddress? ours = null;
        uint? created = null;
        while (attributes.Next())
        {
            if (attributes.Value.Length is 4 or 16 && (attributes.Type == AttributeLocal || (attributes.Type == AttributeAddress && ours is null)))
            {
                ours = NetAddress.FromBytes(attributes.Value);
            }
            else if (attributes.Type == AttributeCacheInfo && attributes.Value.Length >= CacheInfoLength)
            {
                created = BinaryPrimitives.ReadUInt32LittleEndian(attributes.Value[CreatedOffset..]);
            }
        }

        message = ours is { } address ? new(address, created) : default;
        return ours is not null;
    }
}
