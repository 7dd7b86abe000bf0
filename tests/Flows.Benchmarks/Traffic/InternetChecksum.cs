using System.Buffers.Binary;

namespace Flows.Benchmarks.Traffic;

/// <summary>RFC 1071 over a header of even length whose checksum field is zero.</summary>
internal static class InternetChecksum
{
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
