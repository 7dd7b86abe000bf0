using System.Text.Json;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>Where in a list an object was found.</summary>
internal enum FrameKind
{
    /// <summary>A document of its own: an event of a watch.</summary>
    Document,

    /// <summary><c>metadata</c> of a list.</summary>
    ListMetadata,

    /// <summary>An element of <c>items</c> of a list.</summary>
    Item,
}

/// <summary>Takes an object that lies whole in memory; the bytes are good until it returns.</summary>
internal delegate void TakeFrame(FrameKind kind, ReadOnlySpan<byte> utf8);

/// <summary>
/// Cuts a body into objects without ever holding more than one of them: either a sequence of documents (a watch) or the elements of one
/// list. Each byte is scanned once, however it is cut into packets.
/// </summary>
internal sealed class JsonFrames(bool isList)
{
    /// <summary>etcd refuses objects of more than 1.5 MiB; lists and JSON add some.</summary>
    private const int ObjectBytesMax = 8 * 1024 * 1024;

    /// <summary>A page of the kernel's socket buffer; a dozen watches stay below a megabyte.</summary>
    private const int FirstBytes = 64 * 1024;

    private static readonly JsonReaderOptions Sequence = new() { AllowMultipleValues = true };

    private enum Section
    {
        Other,
        Metadata,
        Items,
    }

    private byte[] buffer = new byte[FirstBytes];
    private int scanned;
    private int filled;
    private int frame = -1;
    private bool ended;
    private Section section;
    private JsonReaderState state = new(isList ? default : Sequence);

    /// <summary>Forgets what was read, to begin with the next body in the same memory.</summary>
    public void Reset()
    {
        (scanned, filled, frame, ended, section) = (0, 0, -1, false, Section.Other);
        state = new(isList ? default : Sequence);
    }

    /// <summary>Reads more from the stream and hands on what became whole; false at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The body ended within an object, or one is too big.</exception>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    public async ValueTask<bool> ReadAsync(Stream stream, TakeFrame take, CancellationToken cancellation)
    {
        MakeRoom();
        var read = await stream.ReadAsync(buffer.AsMemory(filled), cancellation).ConfigureAwait(false);
        filled += read;
        if (read == 0 && (frame >= 0 || (isList && !ended)))
        {
            throw new InvalidDataException("the answer ended before it was complete");
        }

        Scan(take);
        return read > 0;
    }

    private void Scan(TakeFrame take)
    {
        var json = new Utf8JsonReader(buffer.AsSpan(scanned, filled - scanned), isFinalBlock: false, state);
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.PropertyName when isList && json.CurrentDepth == 1:
                    section = json.ValueTextEquals("items"u8) ? Section.Items : json.ValueTextEquals("metadata"u8) ? Section.Metadata : Section.Other;
                    break;
                case JsonTokenType.StartObject when frame < 0 && KindAt(json.CurrentDepth) is not null:
                    frame = scanned + (int)json.TokenStartIndex;
                    break;
                case JsonTokenType.EndObject when frame >= 0 && KindAt(json.CurrentDepth) is { } kind:
                    take(kind, buffer.AsSpan(frame, scanned + (int)json.BytesConsumed - frame));
                    frame = -1;
                    break;
                case JsonTokenType.EndObject:
                    ended |= json.CurrentDepth == 0;
                    break;
            }
        }

        state = json.CurrentState;
        scanned += (int)json.BytesConsumed;
    }

    private FrameKind? KindAt(int depth) => isList switch
    {
        false when depth == 0 => FrameKind.Document,
        true when depth == 2 && section == Section.Items => FrameKind.Item,
        true when depth == 1 && section == Section.Metadata => FrameKind.ListMetadata,
        _ => null,
    };

    /// <summary>Moves what is still needed to the front, and grows where that is not enough.</summary>
    private void MakeRoom()
    {
        var keep = frame >= 0 ? frame : scanned;
        if (keep > 0 && (keep == filled || buffer.Length - filled < buffer.Length / 2))
        {
            buffer.AsSpan(keep, filled - keep).CopyTo(buffer);
            scanned -= keep;
            filled -= keep;
            frame = frame >= 0 ? 0 : -1;
        }

        if (filled == buffer.Length)
        {
            if (buffer.Length >= ObjectBytesMax)
            {
                throw new InvalidDataException($"an object is larger than {ObjectBytesMax} bytes");
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}
