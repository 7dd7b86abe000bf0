namespace Flows.Capture.Names;

/// <summary>
/// A domain name as RFC 1035 3.1 puts it on the wire, without compression and in lower case: length and bytes of each label, then a 0. It
/// lies in a caller's buffer of <see cref="BytesMax"/> bytes.
/// </summary>
internal static class DnsName
{
    /// <summary>RFC 1035 2.3.4: all of a name on the wire.</summary>
    public const int BytesMax = 255;

    /// <summary>RFC 1035 2.3.4, seen as text: 255 less the first length and the root's.</summary>
    public const int CharactersMax = 253;

    /// <summary>
    /// Compression pointers of one name. Each must lead further back, so that a name ends in any case; no writer needs more than
    /// one for each name that it repeats the end of.
    /// </summary>
    private const int JumpsMax = 16;

    private const int LabelMax = 63;
    private const int PointerMark = 0xC0;

    // A backslash and three digits.
    private const int EscapedCharacters = 4;

    /// <summary>Reads the name at the offset, and moves the offset behind it.</summary>
    /// <param name="message">The whole DNS message, which pointers lead into.</param>
    /// <param name="offset">Where the name begins; afterwards where the next field does.</param>
    /// <param name="name">Gets the name, at least <see cref="BytesMax"/> bytes.</param>
    /// <param name="length">Bytes of it.</param>
    /// <param name="steps">Labels and pointers that may still be looked at; counted down.</param>
    public static DnsRead Read(ReadOnlySpan<byte> message, ref int offset, Span<byte> name, out int length, ref int steps)
    {
        length = 0;
        var at = offset;
        var end = -1;
        var (jumps, begin) = (0, offset);
        while (true)
        {
            if (steps-- <= 0)
            {
                return DnsRead.Bad;
            }

            if (at >= message.Length)
            {
                return DnsRead.BeyondEnd;
            }

            int label = message[at];
            if (label == 0)
            {
                name[length++] = 0;
                offset = end < 0 ? at + 1 : end;
                return DnsRead.Whole;
            }

            if (label > LabelMax)
            {
                var followed = Follow(message, ref at, ref begin, ref end, ref jumps);
                if (followed != DnsRead.Whole)
                {
                    return followed;
                }

                continue;
            }

            if (at + 1 + label > message.Length)
            {
                return DnsRead.BeyondEnd;
            }

            if (length + 1 + label + 1 > BytesMax)
            {
                return DnsRead.Bad;
            }

            name[length] = (byte)label;
            Lower(message.Slice(at + 1, label), name[(length + 1)..]);
            length += 1 + label;
            at += 1 + label;
        }
    }

    /// <summary>
    /// Characters of the name as text, without the last dot; 0 for the root. Bytes that mean something in a master file (RFC 1035 5.1) or nothing to the eye are
    /// written as <c>\DDD</c>, so that it may be longer than <see cref="CharactersMax"/>.
    /// </summary>
    public static int TextLength(ReadOnlySpan<byte> name)
    {
        var length = 0;
        for (var at = 0; name[at] != 0; at += 1 + name[at])
        {
            length += at > 0 ? 1 : 0;
            foreach (var octet in name.Slice(at + 1, name[at]))
            {
                length += IsPlain(octet) ? 1 : EscapedCharacters;
            }
        }

        return length;
    }

    /// <summary>The name as text, see <see cref="TextLength"/>.</summary>
    public static string Text(ReadOnlySpan<byte> name) => string.Create(TextLength(name), name, static (text, wire) =>
    {
        var to = 0;
        for (var at = 0; wire[at] != 0; at += 1 + wire[at])
        {
            if (at > 0)
            {
                text[to++] = '.';
            }

            foreach (var octet in wire.Slice(at + 1, wire[at]))
            {
                if (IsPlain(octet))
                {
                    text[to++] = (char)octet;
                    continue;
                }

                text[to] = '\\';
                text[to + 1] = (char)('0' + (octet / 100));
                text[to + 2] = (char)('0' + (octet / 10 % 10));
                text[to + 3] = (char)('0' + (octet % 10));
                to += EscapedCharacters;
            }
        }
    });

    /// <summary>
    /// Where <paramref name="name"/> lies below the owner of a DNAME record (RFC 6672), puts the target in the owner's place. False where it
    /// does not, or the result would be too long.
    /// </summary>
    public static bool TryRedirect(Span<byte> name, ref int length, ReadOnlySpan<byte> owner, ReadOnlySpan<byte> target)
    {
        var kept = length - owner.Length;
        if (kept <= 0 || kept + target.Length > BytesMax || !StartsLabel(name, kept) || !name[kept..length].SequenceEqual(owner))
        {
            return false;
        }

        target.CopyTo(name[kept..]);
        length = kept + target.Length;
        return true;
    }

    /// <summary>A pointer (RFC 1035 4.1.4): 11 in the two highest bits, then an offset before the place where this piece of the name began.</summary>
    private static DnsRead Follow(ReadOnlySpan<byte> message, ref int at, ref int begin, ref int end, ref int jumps)
    {
        if ((message[at] & PointerMark) != PointerMark)
        {
            return DnsRead.Bad;
        }

        if (at + 1 >= message.Length)
        {
            return DnsRead.BeyondEnd;
        }

        var target = ((message[at] & ~PointerMark) << 8) | message[at + 1];
        if (target >= begin || ++jumps > JumpsMax)
        {
            return DnsRead.Bad;
        }

        end = end < 0 ? at + 2 : end;
        at = begin = target;
        return DnsRead.Whole;
    }

    private static bool StartsLabel(ReadOnlySpan<byte> name, int position)
    {
        var at = 0;
        while (at < position && name[at] != 0)
        {
            at += 1 + name[at];
        }

        return at == position;
    }

    private static void Lower(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = from[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(from[i] | 0x20) : from[i];
        }
    }

    private static bool IsPlain(byte octet) => octet is > (byte)' ' and <= (byte)'~'
        and not ((byte)'.' or (byte)'\\' or (byte)'"' or (byte)'(' or (byte)')' or (byte)';' or (byte)'@' or (byte)'$');
}

/// <summary>How reading a part of a message went.</summary>
internal enum DnsRead
{
    Whole,

    /// <summary>It goes on behind the last byte that is there.</summary>
    BeyondEnd,

    /// <summary>No bytes behind the last one would make it right.</summary>
    Bad,
}
