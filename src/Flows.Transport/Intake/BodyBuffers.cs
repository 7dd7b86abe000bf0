using System.Buffers.Binary;
using ZstdSharp;

namespace Flows.Transport.Intake;

/// <summary>The buffers of a record batch's body, checked one by one as they are taken in order.</summary>
internal ref struct BodyBuffers
{
    private const int DescriptorBytes = 16;
    private const int PrefixBytes = 8;
    private const long NotCompressed = -1;

    private readonly ReadOnlySpan<byte> descriptors;
    private readonly ReadOnlySpan<byte> body;
    private readonly Decompressor? decompressor;
    private int index;
    private long end;

    /// <param name="descriptors">Offset and length of each buffer, 64 bits each.</param>
    /// <param name="body">The message's body.</param>
    /// <param name="decompressor">Unpacks ZSTD frames; null where the batch is not compressed.</param>
    public BodyBuffers(ReadOnlySpan<byte> descriptors, ReadOnlySpan<byte> body, Decompressor? decompressor)
    {
        this.descriptors = descriptors;
        this.body = body;
        this.decompressor = decompressor;
    }

    /// <summary>
    /// Takes the next buffer, which must hold so many bytes, or these padded to 8 or 64; memory is allocated for no more, whatever the
    /// buffer claims. An absent buffer, where it may be absent, is empty.
    /// </summary>
    public bool TryTake(int bytes, bool mayBeAbsent, out byte[] values)
    {
        values = [];
        var descriptor = descriptors.Slice(index++ * DescriptorBytes, DescriptorBytes);
        var offset = BinaryPrimitives.ReadInt64LittleEndian(descriptor);
        var length = BinaryPrimitives.ReadInt64LittleEndian(descriptor[8..]);

        // Buffers lie in order, aligned and apart, so that no byte of the body stands for two.
        if (offset < end || offset % 8 != 0 || length < 0 || offset > body.Length || length > body.Length - offset)
        {
            return false;
        }

        end = offset + length;
        if (length == 0)
        {
            return mayBeAbsent || bytes == 0;
        }

        var buffer = body.Slice((int)offset, (int)length);
        if (decompressor is null)
        {
            return TryCopy(buffer, bytes, out values);
        }

        // The Arrow library for .NET writes an absent buffer as a prefix and nothing, or as a frame of nothing.
        return (mayBeAbsent && IsEmptyFrame(buffer)) || TryUnpack(buffer, bytes, decompressor, out values);
    }

    private static bool TryCopy(ReadOnlySpan<byte> buffer, int bytes, out byte[] values)
    {
        var fits = IsPadded(buffer.Length, bytes);
        values = fits ? buffer[..bytes].ToArray() : [];
        return fits;
    }

    private static bool IsEmptyFrame(ReadOnlySpan<byte> buffer) =>
        buffer.Length >= PrefixBytes && BinaryPrimitives.ReadInt64LittleEndian(buffer) is var declared
        && (declared == 0 || (declared == NotCompressed && buffer.Length == PrefixBytes));

    private static bool TryUnpack(ReadOnlySpan<byte> buffer, int bytes, Decompressor decompressor, out byte[] values)
    {
        values = [];
        if (buffer.Length < PrefixBytes)
        {
            return false;
        }

        var declared = BinaryPrimitives.ReadInt64LittleEndian(buffer);
        if (declared == NotCompressed)
        {
            return TryCopy(buffer[PrefixBytes..], bytes, out values);
        }

        if (!IsPadded(declared, bytes))
        {
            return false;
        }

        // The destination has exactly the declared size and the frame is unpacked in one step straight into it: a frame that
        // lies about its content cannot exceed it, and no window is allocated for the size that it claims.
        var unpacked = new byte[declared];
        try
        {
            if (!decompressor.TryUnwrap(buffer[PrefixBytes..], unpacked, out var written) || written != declared)
            {
                return false;
            }
        }
        catch (ZstdException)
        {
            return false;
        }

        values = declared == bytes ? unpacked : unpacked[..bytes];
        return true;
    }

    private static bool IsPadded(long length, int bytes) => length >= bytes && length <= ((long)bytes + 63) / 64 * 64;
}
