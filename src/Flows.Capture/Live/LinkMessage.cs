using System.Buffers.Binary;
using System.Text;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Live;

/// <summary>
/// What rtnetlink says of one interface (linux/rtnetlink.h, linux/if_link.h): RTM_NEWLINK, for one that came or changed and in a dump, or
/// RTM_DELLINK.
/// </summary>
internal readonly record struct LinkMessage(int Index, string Name, bool IsUp, bool IsGone, LinkCounters Counters)
{
    public const ushort TypeNew = 16;
    public const ushort TypeDelete = 17;
    public const ushort TypeGet = 18;

    private const int HeaderBytes = 16;
    private const uint FlagUp = 1;
    private const ushort AttributeName = 3;
    private const ushort AttributeStats64 = 23;

    /// <summary>False for another message, one of a bridge about its port, or one that ends too early.</summary>
    public static bool TryParse(ushort type, ReadOnlySpan<byte> payload, out LinkMessage message)
    {
        message = default;
        if (type is not (TypeNew or TypeDelete) || payload.Length < HeaderBytes)
        {
            return false;
        }

        // struct ifinfomsg: u8 family, pad, u16 ARPHRD type, i32 index, u32 flags, u32 change. A family other than 0 tells of an interface's
        // life within a bridge: RTM_DELLINK then means that it left the bridge.
        var index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        if (payload[0] != 0 || index <= 0)
        {
            return false;
        }

        string? name = null;
        LinkCounters counters = default;
        var attributes = new AttributeReader(payload[HeaderBytes..]);
        while (attributes.Next())
        {
            if (attributes.Type == AttributeName)
            {
                name = Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
            }
            else if (attributes.Type == AttributeStats64)
            {
                counters = LinkCounters.Read(attributes.Value);
            }
        }

        if (name is null || attributes.Malformed)
        {
            return false;
        }

        var flags = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        message = new LinkMessage(index, name, (flags & FlagUp) != 0, type == TypeDelete, counters);
        return true;
    }

    /// <summary>A request to dump all links, with their counters where they are wanted: they make the answer twice as long.</summary>
    public static int WriteDump(Span<byte> datagram, uint sequence, bool withCounters)
    {
        // IFLA_EXT_MASK with RTEXT_FILTER_SKIP_STATS.
        const ushort AttributeExtMask = 29;
        const uint SkipStats = 1 << 3;
        const int Length = NlMsg.HeaderLength + HeaderBytes + 8;
        datagram[..Length].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(datagram, Length);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram[4..], TypeGet);
        BinaryPrimitives.WriteUInt16LittleEndian(datagram[6..], NlMsg.FlagRequest | NlMsg.FlagDump);
        BinaryPrimitives.WriteUInt32LittleEndian(datagram[8..], sequence);
        var attribute = datagram[(NlMsg.HeaderLength + HeaderBytes)..];
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, 8);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], AttributeExtMask);
        BinaryPrimitives.WriteUInt32LittleEndian(attribute[4..], withCounters ? 0 : SkipStats);
        return Length;
    }
}

/// <summary>What an interface itself counts, of struct rtnl_link_stats64.</summary>
/// <param name="Packets">Received.</param>
/// <param name="Missed">Lost before the kernel's stack, and so before any capture: full receive rings, overruns.</param>
/// <param name="Dropped">Dropped in the stack: some before the capture (a full backlog), some after it (a protocol that nobody takes).</param>
internal readonly record struct LinkCounters(ulong Packets, ulong Missed, ulong Dropped)
{
    public bool AreKnown => Packets != 0 || Missed != 0 || Dropped != 0;

    public static LinkCounters Read(ReadOnlySpan<byte> stats)
    {
        // u64 each: 0 rx_packets, 6 rx_dropped, 11 rx_over_errors, 14 rx_fifo_errors, 15 rx_missed_errors.
        const int BytesMin = 16 * sizeof(ulong);
        if (stats.Length < BytesMin)
        {
            return default;
        }

        return new(At(stats, 0), unchecked(At(stats, 11) + At(stats, 14) + At(stats, 15)), At(stats, 6));
    }

    private static ulong At(ReadOnlySpan<byte> stats, int field) => BinaryPrimitives.ReadUInt64LittleEndian(stats[(field * sizeof(ulong))..]);
}
