using System.Globalization;

namespace Flows.Capture.Doctor;

/// <summary>One line of /proc/net/dev (dev_seq_printf_stats in net/core/net-procfs.c). Dropped includes what the NIC missed.</summary>
internal sealed record InterfaceCounters(string Name, long RxPackets, long RxDropped, long RxFifo, long TxPackets)
{
    /// <summary>Null for a header line.</summary>
    public static InterfaceCounters? Parse(string line)
    {
        // "  eth0: rx_bytes rx_packets errs drop fifo frame compressed multicast tx_bytes tx_packets ..."
        var colon = line.LastIndexOf(':');
        var fields = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return colon > 0 && fields.Length >= 10 && fields.All(field => long.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? new InterfaceCounters(line[..colon].Trim(), Of(1), Of(3), Of(4), Of(9))
            : null;

        long Of(int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);
    }
}
