namespace Flows.Capture.Doctor.Checks;

/// <summary>Events that find the socket's memory full are lost; a burst needs room.</summary>
internal sealed class ReceiveBufferCheck() : Check("receive_buffer", "conntrack")
{
    // What the collector asks for: some 50,000 events of 1.3 KB.
    private const int WantedBytes = 64 << 20;
    private const int BytesPerEvent = 1300;

    public override Finding Look(NodeView node)
    {
        var got = node.ReceiveBuffer(WantedBytes);
        if (got.Bytes == 0)
        {
            return Unknown("no netlink socket can be opened here");
        }

        var room = $"{Wording.MiB(got.Bytes)}, room for some {got.Bytes / BytesPerEvent:N0} events";
        if (got.Bytes >= WantedBytes)
        {
            return Ok(room);
        }

        var max = node.Files.Number("proc/sys/net/core/rmem_max") is { } bytes ? $"{bytes:N0}" : "unknown";
        var why = got.Forced ? "the kernel grants no more" : $"net.core.rmem_max is {max} and may not be passed";
        return Warn(
            $"{room}: {why}",
            "not seen: events of larger bursts; how many is counted, and a dump repairs what it can",
            $"""
            {Wording.Sysctl("net.core.rmem_max", WantedBytes)}
            CAP_NET_ADMIN in the first user namespace, with which the collector passes the limit
            """);
    }
}
