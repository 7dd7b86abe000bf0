using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Names;

/// <summary>
/// The addresses that one DNS message gives for the name that it was asked for. Flat and reused: reading a message allocates nothing, never
/// throws, and takes a bounded number of steps on any bytes.
/// </summary>
/// <remarks>
/// RFC 1035 4.1. Only the answer section is read: what authority and additional sections say was not asked. Within it only records count whose owner is
/// on the way from the question, through CNAME and DNAME (RFC 6672), so that a record that a forger added names nothing. EDNS (RFC 6891) lies in the
/// additional section and changes none of this.
/// </remarks>
internal sealed class DnsAnswer
{
    /// <summary>Answer records looked at. A UDP answer of 1,232 bytes (DNS flag day 2020) holds 76 at most; real ones hold a dozen.</summary>
    public const int RecordsMax = 64;

    /// <summary>Labels and pointers looked at in one message. Each record's owner is compared once a hop: 64 records of 8 labels, 8 hops and as much again.</summary>
    public const int StepsMax = 16_384;

    /// <summary>CNAMEs in a row. Resolvers give up after 8 (BIND: 16).</summary>
    private const int HopsMax = 16;

    private const int HeaderBytes = 12;
    private const ushort TypeA = 1;
    private const ushort TypeCname = 5;
    private const ushort TypeAaaa = 28;
    private const ushort TypeDname = 39;
    private const ushort ClassIn = 1;
    private const byte ResponseBit = 0x80;
    private const byte OpcodeBits = 0x78;
    private const byte TruncatedBit = 0x02;
    private const byte RcodeBits = 0x0F;
    private const byte RcodeNxDomain = 3;

    private readonly byte[] question = new byte[DnsName.BytesMax];
    private readonly Record[] records = new Record[RecordsMax];
    private readonly NetAddress[] addresses = new NetAddress[RecordsMax];
    private int questionLength;
    private int addressCount;
    private int steps;

    /// <summary>The name asked for, see <see cref="DnsName"/>.</summary>
    public ReadOnlySpan<byte> Question => question.AsSpan(0, questionLength);

    /// <summary>The addresses that it led to.</summary>
    public ReadOnlySpan<NetAddress> Addresses => addresses.AsSpan(0, addressCount);

    /// <summary>The shortest TTL on the way, the addresses' own included.</summary>
    public uint TtlSeconds { get; private set; }

    /// <summary>Labels and pointers that the last message took, for the tests that bound them.</summary>
    public int StepsTaken => StepsMax - Math.Max(steps, 0);

    /// <summary>True where these may be the first bytes of a response to one question; for the start of a TCP stream that was not seen to begin.</summary>
    public static bool MayBegin(ReadOnlySpan<byte> message) =>
        message.Length >= 6 && (message[2] & (ResponseBit | OpcodeBits)) == ResponseBit && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 1;

    /// <summary>Reads a message.</summary>
    /// <param name="message">From the header's first byte on.</param>
    /// <param name="cut">True where the message was longer than what is here.</param>
    public DnsResult Read(ReadOnlySpan<byte> message, bool cut)
    {
        // 1. Header and question.
        (addressCount, questionLength, TtlSeconds, steps) = (0, 0, uint.MaxValue, StepsMax);
        if (message.Length < HeaderBytes)
        {
            return cut ? DnsResult.Truncated : DnsResult.Malformed;
        }

        if ((message[2] & (ResponseBit | OpcodeBits)) != ResponseBit || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return DnsResult.NotAnAnswer;
        }

        var rcode = message[3] & RcodeBits;
        if (rcode != 0)
        {
            return rcode == RcodeNxDomain ? DnsResult.NxDomain : DnsResult.Failed;
        }

        cut |= (message[2] & TruncatedBit) != 0;
        var offset = HeaderBytes;
        var read = DnsName.Read(message, ref offset, question, out questionLength, ref steps);
        if (read != DnsRead.Whole || offset + 4 > message.Length)
        {
            return cut && read != DnsRead.Bad ? DnsResult.Truncated : DnsResult.Malformed;
        }

        if (BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) != ClassIn)
        {
            return DnsResult.NotAnAnswer;
        }

        // 2. Where the records lie, 3. which of them the question leads to.
        var count = Index(message, offset + 4, BinaryPrimitives.ReadUInt16BigEndian(message[6..]), out read);
        if (read == DnsRead.Bad || (read == DnsRead.BeyondEnd && !cut))
        {
            return DnsResult.Malformed;
        }

        return !Follow(message, records.AsSpan(0, count)) ? DnsResult.Malformed
            : addressCount > 0 ? DnsResult.Answered
            : cut ? DnsResult.Truncated
            : DnsResult.NoAddress;
    }

    /// <summary>Notes the whole records of the answer section, the first 64 of them; <paramref name="read"/> tells why it stopped.</summary>
    private int Index(ReadOnlySpan<byte> message, int offset, int announced, out DnsRead read)
    {
        Span<byte> owner = stackalloc byte[DnsName.BytesMax];
        read = DnsRead.Whole;
        var count = 0;
        for (var i = 0; i < Math.Min(announced, RecordsMax); i++)
        {
            var record = new Record { Owner = offset };
            read = DnsName.Read(message, ref offset, owner, out _, ref steps);
            if (read == DnsRead.Whole && offset + 10 > message.Length)
            {
                read = DnsRead.BeyondEnd;
            }

            if (read != DnsRead.Whole)
            {
                return count;
            }

            // TYPE, CLASS, TTL, RDLENGTH, RDATA (RFC 1035 3.2.1).
            var isIn = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) == ClassIn;
            record.Type = isIn ? BinaryPrimitives.ReadUInt16BigEndian(message[offset..]) : (ushort)0;
            record.Ttl = Ttl(BinaryPrimitives.ReadUInt32BigEndian(message[(offset + 4)..]));
            record.DataLength = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 8)..]);
            record.Data = offset + 10;
            offset = record.Data + record.DataLength;
            if (offset > message.Length)
            {
                read = DnsRead.BeyondEnd;
                return count;
            }

            records[count++] = record;
        }

        return count;
    }

    /// <summary>Walks from the question to the name that has addresses, and collects these. False where a name on the way is no name.</summary>
    private bool Follow(ReadOnlySpan<byte> message, ReadOnlySpan<Record> found)
    {
        Span<byte> current = stackalloc byte[DnsName.BytesMax];
        Question.CopyTo(current);
        var length = questionLength;
        for (var hop = 0; hop < HopsMax; hop++)
        {
            if (!TryHop(message, found, current, ref length, out var moved))
            {
                return false;
            }

            if (!moved)
            {
                return TryCollect(message, found, current[..length]);
            }
        }

        // More aliases than anybody follows, or a circle of them: no address.
        return true;
    }

    /// <summary>One alias further, where there is one: a CNAME of this very name, else a DNAME of one above it.</summary>
    private bool TryHop(ReadOnlySpan<byte> message, ReadOnlySpan<Record> found, Span<byte> current, ref int length, out bool moved)
    {
        Span<byte> owner = stackalloc byte[DnsName.BytesMax];
        Span<byte> target = stackalloc byte[DnsName.BytesMax];
        moved = false;
        foreach (var wanted in (ReadOnlySpan<ushort>)[TypeCname, TypeDname])
        {
            foreach (ref readonly var record in found)
            {
                if (record.Type != wanted)
                {
                    continue;
                }

                var (ownerAt, targetAt) = (record.Owner, record.Data);
                if (DnsName.Read(message, ref ownerAt, owner, out var ownerLength, ref steps) != DnsRead.Whole
                    || DnsName.Read(message, ref targetAt, target, out var targetLength, ref steps) != DnsRead.Whole
                    || targetAt != record.Data + record.DataLength)
                {
                    return false;
                }

                if (wanted == TypeCname && owner[..ownerLength].SequenceEqual(current[..length]))
                {
                    target[..targetLength].CopyTo(current);
                    length = targetLength;
                    moved = true;
                }
                else if (wanted == TypeDname)
                {
                    moved = DnsName.TryRedirect(current, ref length, owner[..ownerLength], target[..targetLength]);
                }

                if (moved)
                {
                    TtlSeconds = Math.Min(TtlSeconds, record.Ttl);
                    return true;
                }
            }
        }

        return true;
    }

    private bool TryCollect(ReadOnlySpan<byte> message, ReadOnlySpan<Record> found, ReadOnlySpan<byte> current)
    {
        Span<byte> owner = stackalloc byte[DnsName.BytesMax];
        foreach (ref readonly var record in found)
        {
            var bytes = record.Type switch { TypeA => 4, TypeAaaa => 16, _ => 0 };
            if (bytes == 0)
            {
                continue;
            }

            var ownerAt = record.Owner;
            if (record.DataLength != bytes || DnsName.Read(message, ref ownerAt, owner, out var length, ref steps) != DnsRead.Whole)
            {
                addressCount = 0;
                return false;
            }

            if (owner[..length].SequenceEqual(current))
            {
                addresses[addressCount++] = NetAddress.FromBytes(message.Slice(record.Data, bytes));
                TtlSeconds = Math.Min(TtlSeconds, record.Ttl);
            }
        }

        return true;
    }

    /// <summary>RFC 2181 8: a TTL has 31 bits; with the highest one set it is 0.</summary>
    private static uint Ttl(uint field) => field > int.MaxValue ? 0 : field;

    private struct Record
    {
        public int Owner;
        public int Data;
        public ushort Type;
        public ushort DataLength;
        public uint Ttl;
    }
}
