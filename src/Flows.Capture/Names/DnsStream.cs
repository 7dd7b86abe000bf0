using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Names;

/// <summary>
/// What is known of one TCP stream from a DNS server: which byte comes next, and the message that has begun. RFC 1035 4.2.2: each message
/// follows two bytes of its length.
/// </summary>
internal sealed class DnsStream
{
    /// <summary>Bytes of a message that are gathered; of a longer one, the first so many are read as a cut one. 64 records take 2 KiB.</summary>
    public const int BytesMax = 4096;

    private const int PrefixBytes = 2;

    // A hole or an overlap beyond this is another connection on the same ports, whose SYN was not seen.
    private const int WindowMax = 1 << 20;

    private readonly byte[] gathered = new byte[PrefixBytes + BytesMax];
    private int have;
    private int skip;

    public NetAddress Server { get; private set; }

    public NetAddress Client { get; private set; }

    public ushort Port { get; private set; }

    public bool Used { get; private set; }

    /// <summary>Sequence number of the next byte.</summary>
    public uint Next { get; private set; }

    /// <summary>True between the first byte of a message and its last that is gathered.</summary>
    public bool IsPending => have > 0;

    /// <summary>Starts anew; what was pending is gone.</summary>
    public void Begin(in NetAddress server, in NetAddress client, ushort port, uint next)
    {
        (Server, Client, Port, Next, Used, have, skip) = (server, client, port, next, true, 0, 0);
    }

    public void Forget() => (Used, have, skip) = (false, 0, 0);

    /// <summary>Where a segment lies: 0 for what comes next, positive for a hole before it, negative for bytes that were seen; null for elsewhere.</summary>
    public int? DistanceOf(uint sequence)
    {
        var distance = unchecked((int)(sequence - Next));
        return Math.Abs((long)distance) < WindowMax ? distance : null;
    }

    /// <summary>Takes bytes up to the end of a message, or all of them.</summary>
    /// <param name="bytes">What comes next; the rest of it afterwards.</param>
    /// <param name="message">The message, valid until the next call; empty where it has not ended.</param>
    /// <param name="cut">True where the message is longer than <paramref name="message"/>.</param>
    /// <returns>True where a message ended.</returns>
    public bool Take(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> message, out bool cut)
    {
        message = default;
        cut = false;
        var skipped = Math.Min(skip, bytes.Length);
        skip -= skipped;
        Move(ref bytes, skipped);

        // 1. Most often all of it lies in the segment, and need not be copied.
        if (have == 0 && bytes.Length >= PrefixBytes && BinaryPrimitives.ReadUInt16BigEndian(bytes) is var whole && bytes.Length >= PrefixBytes + whole)
        {
            message = bytes.Slice(PrefixBytes, whole);
            Move(ref bytes, PrefixBytes + whole);
            return true;
        }

        // 2. The prefix itself may be split.
        Gather(ref bytes, PrefixBytes);
        if (have < PrefixBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(gathered);
        var wanted = PrefixBytes + Math.Min((int)length, BytesMax);
        Gather(ref bytes, wanted);
        if (have < wanted)
        {
            return false;
        }

        message = gathered.AsSpan(PrefixBytes, wanted - PrefixBytes);
        cut = length > BytesMax;
        skip = length - message.Length;
        have = 0;
        return true;
    }

    /// <summary>Passes over bytes that were not captured, where they belong to a message that has been read as a cut one; false where they do not.</summary>
    public bool TrySkip(int missing)
    {
        if (have > 0 || skip < missing)
        {
            return false;
        }

        skip -= missing;
        Next += (uint)missing;
        return true;
    }

    /// <summary>What is there of the message whose further bytes were not captured; the stream goes on behind them where that is known.</summary>
    /// <param name="missing">Bytes that follow on the wire and are not here.</param>
    public ReadOnlySpan<byte> TakeCut(int missing)
    {
        var message = have <= PrefixBytes ? default : gathered.AsSpan(PrefixBytes, have - PrefixBytes);
        skip = have < PrefixBytes ? 0 : PrefixBytes + BinaryPrimitives.ReadUInt16BigEndian(gathered) - have;
        have = 0;
        if (!TrySkip(missing))
        {
            // Another message began within what is missing.
            Forget();
        }

        return message;
    }

    private void Gather(ref ReadOnlySpan<byte> bytes, int upTo)
    {
        var taken = Math.Min(Math.Max(upTo - have, 0), bytes.Length);
        bytes[..taken].CopyTo(gathered.AsSpan(have));
        have += taken;
        Move(ref bytes, taken);
    }

    private void Move(ref ReadOnlySpan<byte> bytes, int count)
    {
        bytes = bytes[count..];
        Next += (uint)count;
    }
}
