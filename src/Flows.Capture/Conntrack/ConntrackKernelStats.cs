using System.Buffers.Binary;

namespace Flows.Capture.Conntrack;

/// <summary>What the kernel counts of its table in one network namespace, as <c>conntrack -S</c> and <c>-C</c> show it.</summary>
/// <param name="Entries">Entries now.</param>
/// <param name="EntriesMax">Most entries; the limit is one for all namespaces, the count is each one's own.</param>
/// <param name="Dropped">Packets dropped because the table was full, since the namespace began.</param>
/// <param name="EarlyDropped">Entries thrown out to make room.</param>
internal readonly record struct ConntrackKernelStats(uint Entries, uint EntriesMax, long Dropped, long EarlyDropped)
{
    /// <summary>Asks the kernel over <paramref name="socket"/>, which serves nothing else. False when it does not answer as expected.</summary>
    public static bool TryRead(NetlinkSocket socket, Span<byte> buffer, out ConntrackKernelStats stats)
    {
        Span<byte> request = stackalloc byte[ConntrackQuery.LengthMax];
        long dropped = 0;
        long early = 0;
        uint entries = 0;
        uint max = 0;
        socket.Send(request[..ConntrackQuery.WriteStatsCpu(request, 1)]);
        var good = Read(socket, buffer, CtMsg.GetStatsCpu, (type, value) =>
        {
            // One message per processor.
            dropped += type == CtAttr.StatsDrop ? value : 0;
            early += type == CtAttr.StatsEarlyDrop ? value : 0;
        });
        socket.Send(request[..ConntrackQuery.WriteStats(request, 2)]);
        good &= Read(socket, buffer, CtMsg.GetStats, (type, value) =>
        {
            entries = type == CtAttr.StatsGlobalEntries ? value : entries;
            max = type == CtAttr.StatsGlobalEntriesMax ? value : max;
        });
        stats = new ConntrackKernelStats(entries, max, dropped, early);
        return good;
    }

    // The kernel answers while it takes the request, so whatever it has to say waits already.
    private static bool Read(NetlinkSocket socket, Span<byte> buffer, ushort type, Action<ushort, uint> take)
    {
        var any = false;
        while (socket.TryReceive(buffer, out var length) == NetlinkReceive.Datagram)
        {
            var netlink = new NetlinkReader(buffer[..length]);
            while (netlink.Next() && !netlink.Malformed)
            {
                if (netlink.Type != type || netlink.Payload.Length < CtMsg.GenericHeaderLength)
                {
                    continue;
                }

                any = true;
                var attributes = new AttributeReader(netlink.Payload[CtMsg.GenericHeaderLength..]);
                while (attributes.Next())
                {
                    if (attributes.Value.Length == sizeof(uint))
                    {
                        take(attributes.Type, BinaryPrimitives.ReadUInt32BigEndian(attributes.Value));
                    }
                }
            }
        }

        return any;
    }
}
