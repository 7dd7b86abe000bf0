using System.Buffers.Binary;
using Flows.Transport.Log;

namespace Flows.Transport;

/// <summary>
/// The file that remembers up to where the server has acknowledged: sequence and checksum, replaced whole. It may lag, which costs a resend
/// that the server recognises; a damaged one counts as absent, since a flipped bit could otherwise skip what was never sent.
/// </summary>
internal static class SpoolCursor
{
    private const int Bytes = 12;

    public static ulong Read(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        var bytes = File.ReadAllBytes(path);
        return bytes.Length == Bytes && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) == RecordFormat.Crc32C(uint.MaxValue, bytes.AsSpan(0, 8))
            ? BinaryPrimitives.ReadUInt64LittleEndian(bytes)
            : 0;
    }

    public static void Write(string path, ulong next)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, next);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], RecordFormat.Crc32C(uint.MaxValue, bytes[..8]));
        DurableFiles.Replace(path, bytes);
    }
}
