using System.Buffers.Binary;
using Flows.KernelCluster;

namespace Flows.Benchmarks.Traffic;

/// <summary>
/// ICMP errors that quote the frames of <see cref="UdpFrames"/>. For each the kernel looks the quoted flow up, and what it meets there that
/// has timed out it removes: flows end when the generator says, not when the kernel's collector of old entries comes by, which is up to a
/// minute later. An error about a flow that is gone opens none.
/// </summary>
internal sealed class RefusalFrames(string destinationMac)
{
    private const int EthernetBytes = 14, IpBytes = 20, IcmpBytes = 8, QuoteBytes = IpBytes + 8;

    /// <summary>Bytes of each frame.</summary>
    public const int Length = EthernetBytes + IpBytes + IcmpBytes + QuoteBytes;

    private readonly UdpFrames refused = new(destinationMac);
    private readonly byte[] original = new byte[UdpFrames.Length];

    /// <summary>Fills the buffer with errors about successive flows.</summary>
    public void Fill(Span<byte> frames, int firstFlow)
    {
        for (var flow = firstFlow; !frames.IsEmpty; flow++)
        {
            refused.Fill(original, flow);
            Write(frames[..Length]);
            frames = frames[Length..];
        }
    }

    private void Write(Span<byte> frame)
    {
        original.AsSpan(0, EthernetBytes + IpBytes).CopyTo(frame);
        var ip = frame.Slice(EthernetBytes, IpBytes);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], Length - EthernetBytes);
        ip[9] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);

        // From the refused one's side to who had asked; a router forwards it like anything else.
        original.AsSpan(EthernetBytes + 12, 4).CopyTo(ip[16..]);
        original.AsSpan(EthernetBytes + 16, 4).CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip));

        // Destination unreachable, port (RFC 792).
        var icmp = frame[(EthernetBytes + IpBytes)..];
        icmp[..IcmpBytes].Clear();
        icmp[0] = 3;
        icmp[1] = 3;
        original.AsSpan(EthernetBytes, QuoteBytes).CopyTo(icmp[IcmpBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], InternetChecksum.Of(icmp));
    }
}
