namespace Flows.Inventory;

/// <summary>Cuts a stream into lines without ever holding more than one of the greatest length. What is longer is skipped, not kept.</summary>
/// <param name="stream">Read to its end; not closed.</param>
/// <param name="lineBytesMax">Bytes of the longest line, without its line feed.</param>
internal sealed class BoundedLines(Stream stream, int lineBytesMax)
{
    // One byte more than a line, so that a full buffer without a line feed is proof of a line that is too long.
    private readonly byte[] buffer = new byte[lineBytesMax + 1];
    private int start;
    private int end;
    private bool ended;

    /// <summary>The number of the line last read, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>
    /// Reads the next line, without its line feed and without the byte order mark of the first; false at the end. The memory is good until the next call. A line that is too long
    /// comes as empty with <paramref name="tooLong"/> set.
    /// </summary>
    public bool TryRead(out ReadOnlyMemory<byte> line, out bool tooLong)
    {
        tooLong = false;
        while (true)
        {
            var feed = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (feed >= 0 || (ended && end > start))
            {
                var length = feed >= 0 ? feed : end - start;
                line = tooLong ? default : buffer.AsMemory(start, length);
                start += feed >= 0 ? feed + 1 : length;
                Number++;
                line = Number == 1 && line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
                return true;
            }

            if (ended)
            {
                line = default;
                Number += tooLong ? 1 : 0;
                return tooLong;
            }

            tooLong |= Fill();
        }
    }

    /// <summary>Reads more; true where the buffer was full and had to be thrown away.</summary>
    private bool Fill()
    {
        var full = start == 0 && end == buffer.Length;
        if (full)
        {
            end = 0;
        }
        else
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        var read = stream.Read(buffer, end, buffer.Length - end);
        ended = read == 0;
        end += read;
        return full;
    }
}
