using System.Buffers.Binary;

namespace Flows.KernelCluster;

/// <summary>The Internet checksum (RFC 1071).</summary>
public static class InternetChecksum
{
    /// <summary>Over bytes of even length, of which those of the checksum are zero.</summary>
    public static ushort Of(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (var i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        while (sum >> 16 != 0)
        {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
