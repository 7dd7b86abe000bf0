namespace Flows.Capture.Files;

/// <summary>Large sequential reads, handed out as spans of exactly the bytes asked for.</summary>
internal sealed class ReadBuffer(Stream stream) : IDisposable
{
    /// <summary>256 KiB a read: few system calls, and what the kernel wrote is still in the second-level cache when it is looked at.</summary>
    private const int SizeFirst = 1 << 18;

    // Not cleared: a small file then touches only as much memory as it has bytes.
    private byte[] buffer = GC.AllocateUninitializedArray<byte>(SizeFirst);
    private int start;
    private int end;

    /// <summary>Offset in the stream of the next byte to be taken.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes still to come up to <paramref name="count"/>, without taking them; fewer only at the end of the stream.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (end - start < count)
        {
            Fill(count);
        }

        return buffer.AsSpan(start, Math.Min(count, end - start));
    }

    /// <summary>Takes that many bytes, which stay valid until the next call; false if the stream ends before.</summary>
    public bool TryTake(int count, out ReadOnlySpan<byte> bytes)
    {
        bytes = Peek(count);
        if (bytes.Length < count)
        {
            return false;
        }

        start += count;
        Position += count;
        return true;
    }

    /// <summary>Takes what is at hand, at most that many bytes; waits only if there is none. Empty at the end of the stream.</summary>
    public ReadOnlySpan<byte> TakeSome(int count)
    {
        Peek(Math.Min(count, 1));
        var bytes = buffer.AsSpan(start, Math.Min(count, end - start));
        start += bytes.Length;
        Position += bytes.Length;
        return bytes;
    }

    public void Dispose() => stream.Dispose();

    private void Fill(int count)
    {
        // What is left moves to the front; a record longer than the buffer, which is rare, makes it grow step by step as bytes
        // really arrive, so that a corrupt length cannot make it allocate.
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        end -= start;
        start = 0;
        while (end < count)
        {
            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, Array.MaxLength));
            }

            var read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0)
            {
                return;
            }

            end += read;
        }
    }
}
