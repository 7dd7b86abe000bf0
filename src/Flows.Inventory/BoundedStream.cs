using Flows.Core;

namespace Flows.Inventory;

/// <summary>Reads a stream up to a number of bytes, and calls what has more invalid.</summary>
/// <param name="inner">Read forward; not closed.</param>
/// <param name="bytesMax">The most that is read.</param>
internal sealed class BoundedStream(Stream inner, long bytesMax) : ForwardStream
{
    private readonly string tooLong = $"the file is longer than {bytesMax >> 20} MiB";
    private long left = bytesMax;

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        left -= read;
        return left >= 0 ? read : throw new InvalidDataException(tooLong);
    }
}
