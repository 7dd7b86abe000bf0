using System.Net;
using PacketDotNet;
using SharpPcap;
using SharpPcap.LibPcap;

namespace Flows.Benchmarks.Live;

/// <summary>
/// What one writes first in .NET: SharpPcap's event per packet with its defaults, PacketDotNet's parser, a dictionary by 5-tuple. It does
/// less than the product: no TCP states, no time-outs, no rows.
/// </summary>
internal sealed class NaiveReceiver
{
    private readonly Dictionary<FlowName, Sums> flows = [];
    private long handled;
    private long unparsed;

    public static async Task<Received> RunAsync(string name, CancellationToken stop)
    {
        var naive = new NaiveReceiver();
        using var device = LibPcapLiveDeviceList.New().First(device => device.Name == name);
        device.Open(DeviceModes.Promiscuous);
        device.OnPacketArrival += (_, capture) => naive.Count(capture.GetPacket());
        device.StartCapture();
        Console.Out.WriteLine(ReceiverCommand.Ready);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        device.StopCapture();
        return new Received(naive.handled, naive.unparsed, naive.flows.Count);
    }

    private void Count(RawCapture capture)
    {
        handled++;
        var packet = Packet.ParsePacket(capture.LinkLayerType, capture.Data);
        if (packet.Extract<IPPacket>() is not { } ip)
        {
            unparsed++;
            return;
        }

        var ports = packet.Extract<TransportPacket>();
        var name = new FlowName(ip.SourceAddress, ip.DestinationAddress, ports?.SourcePort ?? 0, ports?.DestinationPort ?? 0, ip.Protocol);
        if (!flows.TryGetValue(name, out var sums))
        {
            sums = new Sums();
            flows.Add(name, sums);
        }

        sums.Packets++;
        sums.Bytes += ip.TotalLength;
        sums.Last = capture.Timeval.Date;
    }

    private sealed record FlowName(IPAddress Source, IPAddress Destination, ushort SourcePort, ushort DestinationPort, ProtocolType Protocol);

    private sealed class Sums
    {
        public long Packets { get; set; }

        public long Bytes { get; set; }

        public DateTime Last { get; set; }
    }
}
