using System.Buffers.Binary;
using System.Text;
using Flows.Core.Facts;

namespace Flows.Transport;

/// <summary>What a record carries.</summary>
public enum BatchKind : byte
{
    /// <summary>An Arrow IPC stream of flow rows.</summary>
    Flows = 1,

    /// <summary>An account report as JSON.</summary>
    Account = 2,
}

/// <summary>
/// A record of the spool and of the intake log: whose batch it is, and its bytes as they travel. Little endian:
/// <code>
///  0         1      2            18      26         34               42     46          48
///  | version | kind | collector  | epoch | sequence | received at µs | rows | node size | node | scope size (2) | scope | body ... |
/// </code>
/// In the spool the batch's sequence is the record's own, and the time is when it was spooled.
/// </summary>
internal sealed record Envelope(BatchId Id, BatchKind Kind, string Node, string Scope, long AtUs, int Rows, ReadOnlyMemory<byte> Body)
{
    private const byte Version = 1;
    private const int FixedBytes = 46;

    public byte[] Encode()
    {
        var node = Encoding.UTF8.GetBytes(Node);
        var scope = Encoding.UTF8.GetBytes(Scope);
        var bytes = GC.AllocateUninitializedArray<byte>(FixedBytes + 2 + node.Length + 2 + scope.Length + Body.Length);
        bytes[0] = Version;
        bytes[1] = (byte)Kind;
        Id.Collector.TryWriteBytes(bytes.AsSpan(2));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(18), Id.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(26), Id.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(34), AtUs);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(42), Rows);
        var rest = Put(Put(bytes.AsSpan(FixedBytes), node), scope);
        Body.Span.CopyTo(rest);
        return bytes;
    }

    /// <summary>Reads an envelope; null where the bytes are not one, as from a newer version.</summary>
    public static Envelope? TryDecode(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (span.Length < FixedBytes || span[0] != Version || span[1] is not ((byte)BatchKind.Flows or (byte)BatchKind.Account))
        {
            return null;
        }

        var offset = FixedBytes;
        if (!TryTake(span, ref offset, out var node) || !TryTake(span, ref offset, out var scope))
        {
            return null;
        }

        var id = new BatchId(
            new Guid(span.Slice(2, 16)), BinaryPrimitives.ReadUInt64LittleEndian(span[18..]), BinaryPrimitives.ReadUInt64LittleEndian(span[26..]));
        return new Envelope(
            id, (BatchKind)span[1], node, scope, BinaryPrimitives.ReadInt64LittleEndian(span[34..]), BinaryPrimitives.ReadInt32LittleEndian(span[42..]), bytes[offset..]);
    }

    private static Span<byte> Put(Span<byte> to, byte[] text)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, checked((ushort)text.Length));
        text.CopyTo(to[2..]);
        return to[(2 + text.Length)..];
    }

    private static bool TryTake(ReadOnlySpan<byte> span, ref int offset, out string text)
    {
        text = "";
        if (span.Length - offset < 2 || BinaryPrimitives.ReadUInt16LittleEndian(span[offset..]) is var length && span.Length - offset - 2 < length)
        {
            return false;
        }

        text = Encoding.UTF8.GetString(span.Slice(offset + 2, length));
        offset += 2 + length;
        return true;
    }
}
