using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Flows.Transport.Log;

/// <summary>
/// A record on disk, little endian:
/// <code>
///  0       4        8           16
///  | length | crc32c | sequence | payload ... |
/// </code>
/// The checksum (Castagnoli, RFC 3720 B.4) covers length, sequence and payload. It starts from all ones, so that a stretch of zeros, which is
/// what a file system leaves behind a torn write, is not a record.
/// </summary>
internal static class RecordFormat
{
    public const int HeaderBytes = 16;

    /// <summary>The whole record, header included.</summary>
    public static byte[] Encode(ulong sequence, ReadOnlySpan<byte> payload)
    {
        var record = GC.AllocateUninitializedArray<byte>(HeaderBytes + payload.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record, payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), sequence);
        payload.CopyTo(record.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Checksum(record));
        return record;
    }

    /// <summary>Payload length and sequence of the record that begins the span; false where none begins there.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, int payloadBytesMax, out int payloadBytes, out ulong sequence)
    {
        payloadBytes = 0;
        sequence = 0;
        if (from.Length < HeaderBytes)
        {
            return false;
        }

        payloadBytes = BinaryPrimitives.ReadInt32LittleEndian(from);
        if (payloadBytes < 0 || payloadBytes > payloadBytesMax || payloadBytes > from.Length - HeaderBytes)
        {
            return false;
        }

        sequence = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) == Checksum(from[..(HeaderBytes + payloadBytes)]);
    }

    /// <summary>CRC32C of the bytes, in hardware where the processor has the instruction.</summary>
    public static uint Crc32C(uint crc, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var tail in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, tail);
        }

        return crc;
    }

    private static uint Checksum(ReadOnlySpan<byte> record) => ~Crc32C(Crc32C(uint.MaxValue, record[..4]), record[8..]);
}
