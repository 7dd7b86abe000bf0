using System.Buffers.Binary;
using Flows.KernelCluster;

namespace Flows.Benchmarks.Traffic;

/// <summary>Smallest Ethernet frames of UDP over IPv4, all of one length, each flow with a 5-tuple of its own.</summary>
internal sealed class UdpFrames
{
    /// <summary>14 + 20 + 8 + 18: the shortest that Ethernet carries.</summary>
    public const int Length = 60;

    /// <summary>Clients are 10.64.0.0 and up, each with so many ports.</summary>
    private const int PortsPerClient = 50_000;
    private const int FirstPort = 10_000;
    private const uint FirstClient = 0x0A40_0000;

    /// <summary>172.31.0.2, port 4000.</summary>
    private const uint Server = 0xAC1F_0002;
    private const int ServerPort = 4000;

    private readonly byte[] template = new byte[Length];
    private readonly bool reply;

    /// <param name="destinationMac">The station that takes the frames.</param>
    /// <param name="reply">True for what the server says.</param>
    public UdpFrames(string destinationMac, bool reply = false)
    {
        this.reply = reply;
        Convert.FromHexString(destinationMac.Replace(":", "", StringComparison.Ordinal)).CopyTo(template, 0);
        ReadOnlySpan<byte> rest = [0x02, 0, 0, 0, 0, 0x77, 0x08, 0, 0x45, 0, 0, Length - 14, 0, 0, 0x40, 0, 64, 17];
        rest.CopyTo(template.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(template.AsSpan(38), Length - 14 - 20);
    }

    /// <summary>Fills the buffer with the frames of successive flows.</summary>
    public void Fill(Span<byte> frames, int firstFlow)
    {
        for (var flow = firstFlow; !frames.IsEmpty; flow++)
        {
            Write(frames[..Length], flow);
            frames = frames[Length..];
        }
    }

    private void Write(Span<byte> frame, int flow)
    {
        template.CopyTo(frame);
        var client = FirstClient + (uint)(flow / PortsPerClient);
        var port = FirstPort + (flow % PortsPerClient);
        var ip = frame[14..34];
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], reply ? Server : client);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], reply ? client : Server);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip));
        BinaryPrimitives.WriteUInt16BigEndian(frame[34..], (ushort)(reply ? ServerPort : port));
        BinaryPrimitives.WriteUInt16BigEndian(frame[36..], (ushort)(reply ? port : ServerPort));
    }
}
