namespace Flows.Inventory;

/// <summary>Reads a stream up to a number of bytes, and calls what has more invalid.</summary>
/// <param name="inner">Read forward; not closed.</param>
/// <param name="bytesMax">The most that is read.</param>
internal sealed class BoundedStream(Stream inner, long bytesMax) : Stream
{
    private readonly string tooLong = $"the file is longer than {bytesMax >> 20} MiB";
    private long left = bytesMax;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        left -= read;
        return left >= 0 ? read : throw new InvalidDataException(tooLong);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
