using System.Buffers.Binary;

namespace Flows.Transport.Intake;

/// <summary>
/// One message of an Arrow IPC stream (Arrow columnar format, "Encapsulated message format"):
/// <code>
///  | 0xFFFFFFFF | metadata size | metadata: FlatBuffer Message | padding to 8 | body |
/// </code>
/// </summary>
internal readonly ref struct IpcMessage
{
    public const byte SchemaType = 1;
    public const byte RecordBatchType = 3;

    private const uint Continuation = 0xFFFF_FFFF;
    private const int MetadataBytesMax = 1 << 20;

    // Fields of the FlatBuffer table Message (Message.fbs).
    private const int VersionField = 0;
    private const int HeaderTypeField = 1;
    private const int HeaderField = 2;
    private const int BodyLengthField = 3;
    private const short MetadataV5 = 4;

    private IpcMessage(byte type, FlatTable header, ReadOnlySpan<byte> body)
    {
        Type = type;
        Header = header;
        Body = body;
    }

    /// <summary>The kind of message.</summary>
    public byte Type { get; }

    /// <summary>The table of that kind.</summary>
    public FlatTable Header { get; }

    public ReadOnlySpan<byte> Body { get; }

    /// <summary>Reads the message that begins at the offset and moves the offset behind it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> stream, ref int offset, out IpcMessage message)
    {
        message = default;
        var rest = stream[offset..];
        if (rest.Length < 8 || BinaryPrimitives.ReadUInt32LittleEndian(rest) != Continuation)
        {
            return false;
        }

        var metadataBytes = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
        if (metadataBytes is <= 0 or > MetadataBytesMax || metadataBytes % 8 != 0 || metadataBytes > rest.Length - 8
            || !FlatTable.TryRoot(rest.Slice(8, metadataBytes), out var table)
            || table.Short(VersionField) != MetadataV5 || !table.TryTable(HeaderField, out var header))
        {
            return false;
        }

        var bodyBytes = table.Long(BodyLengthField);
        if (bodyBytes < 0 || bodyBytes > rest.Length - 8 - metadataBytes)
        {
            return false;
        }

        message = new IpcMessage(table.Byte(HeaderTypeField), header, rest.Slice(8 + metadataBytes, (int)bodyBytes));
        offset += 8 + metadataBytes + (int)bodyBytes;
        return true;
    }

    /// <summary>True when nothing follows, or the end-of-stream mark and nothing behind it.</summary>
    public static bool IsEnd(ReadOnlySpan<byte> rest) =>
        rest.IsEmpty || (rest.Length == 8 && BinaryPrimitives.ReadUInt64LittleEndian(rest) == Continuation);
}
