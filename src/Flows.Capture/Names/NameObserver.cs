using System.Buffers.Binary;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Names;

/// <summary>
/// Learns names from the DNS answers that pass: packets from port 53, over UDP or TCP. It reads no payload of anything else, and keeps of an answer
/// only who asked, for which name, which addresses came back and for how long. Thread safe: answers are rare beside packets, so one lock will do.
/// </summary>
/// <remarks>
/// Over TCP a message may take several segments. They are put together in order; what comes out of order, or from the middle of a stream, is counted and
/// passed over. A datagram in fragments is read as far as its first one goes.
/// </remarks>
public sealed class NameObserver
{
    /// <summary>The port of DNS servers (RFC 1035 4.2). Multicast DNS (5353) and encrypted DNS (853, 443) are not read.</summary>
    public const ushort Port = 53;

    /// <summary>TCP streams followed at once, 1 MiB when all hold a message; a power of two. A newcomer replaces whatever shares its place.</summary>
    private const int StreamsMax = 256;

    /// <summary>A port that is quiet for so long is taken by another stream (RFC 7766 6.2.3 has servers close idle ones in seconds).</summary>
    private const long StreamIdleMaxUs = 120 * UnixTime.Second;

    private const int UdpHeader = 8;
    private const int TcpHeaderMin = 20;
    private const int DnsHeader = 12;

    private readonly Lock gate = new();
    private readonly Action<NameFact> report;
    private readonly DnsAnswer answer = new();
    private readonly NameCache cache = new();
    private readonly DnsStream?[] streams = new DnsStream?[StreamsMax];
    private readonly long[] streamSeenUs = new long[StreamsMax];

    /// <param name="report">Takes each new binding, on the thread of the packet and under the observer's lock.</param>
    public NameObserver(Action<NameFact> report)
    {
        this.report = report;
        Account = new HopAccount("names", "answers", () => Pending);
    }

    /// <summary>
    /// The hop <c>names</c> in DNS messages from port 53: seen = forwarded (gave a binding, new or known) + dropped (see <see cref="DnsResult"/>) + in
    /// flight (begun in a TCP stream).
    /// </summary>
    public HopAccount Account { get; }

    private long Pending
    {
        get
        {
            lock (gate)
            {
                return streams.LongCount(stream => stream is { IsPending: true });
            }
        }
    }

    /// <summary>Looks at a packet from port 53 that has a transport header.</summary>
    /// <param name="frame">The captured bytes; not kept.</param>
    /// <param name="packet">The frame, decoded.</param>
    /// <param name="timeUs">When it was captured, µs since the epoch, UTC.</param>
    public void OnPacket(ReadOnlySpan<byte> frame, in DecodedPacket packet, long timeUs)
    {
        // Where the IP header says that the datagram ends: short frames are padded beyond, and a capture may end before.
        var end = packet.IpOffset + (long)packet.IpBytes;
        var missing = (int)Math.Clamp(end - frame.Length, 0, int.MaxValue);
        var transport = frame[packet.TransportOffset..(int)Math.Clamp(end, packet.TransportOffset, frame.Length)];
        lock (gate)
        {
            if (packet.Protocol == IpProtocol.Udp)
            {
                OnDatagram(transport, in packet, timeUs);
            }
            else if (packet.Protocol == IpProtocol.Tcp && transport.Length >= TcpHeaderMin)
            {
                OnSegment(transport, missing, in packet, timeUs);
            }
        }
    }

    /// <summary>RFC 768: the length covers the header; 0 is an offloaded datagram that states none.</summary>
    private void OnDatagram(ReadOnlySpan<byte> datagram, in DecodedPacket packet, long timeUs)
    {
        Account.Seen();
        if (datagram.Length < UdpHeader)
        {
            Account.Dropped(DnsResult.Truncated.Reason());
            return;
        }

        int stated = BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]);
        var end = stated == 0 ? datagram.Length : Math.Clamp(stated, UdpHeader, datagram.Length);
        Conclude(datagram[UdpHeader..end], cut: stated > datagram.Length, in packet, timeUs);
    }

    private void OnSegment(ReadOnlySpan<byte> segment, int missing, in DecodedPacket packet, long timeUs)
    {
        var headerBytes = (segment[12] >> 4) * 4;
        if (headerBytes < TcpHeaderMin || headerBytes > segment.Length)
        {
            return;
        }

        var payload = segment[headerBytes..];
        var stream = StreamOf(in packet, timeUs);
        if ((packet.TcpFlags & TcpFlags.Syn) != 0)
        {
            Lose(stream);
            stream.Begin(in packet.Src, in packet.Dst, packet.DstPort, packet.TcpSeq + 1);
        }
        else if ((payload.Length > 0 || missing > 0) && TrySynchronise(stream, ref payload, in packet))
        {
            TakeMessages(stream, payload, missing, in packet, timeUs);
        }

        if ((packet.TcpFlags & (TcpFlags.Fin | TcpFlags.Rst)) != 0)
        {
            Lose(stream);
        }
    }

    /// <summary>
    /// Leaves of the payload what comes next in the stream; false where nothing does. A stream whose start was not seen, or that has a hole, is taken
    /// up where a segment begins like a response.
    /// </summary>
    private bool TrySynchronise(DnsStream stream, ref ReadOnlySpan<byte> payload, in DecodedPacket packet)
    {
        var distance = stream.Used ? stream.DistanceOf(packet.TcpSeq) : null;
        if (distance is <= 0 and { } behind)
        {
            // The same segment again, or seen on another interface.
            var known = Math.Min(-behind, payload.Length);
            payload = payload[known..];
            return known == 0 || payload.Length > 0;
        }

        Lose(stream);
        if (payload.Length < 2 || !DnsAnswer.MayBegin(payload[2..]))
        {
            Account.Seen();
            Account.Dropped(DnsResult.TcpGap.Reason());
            return false;
        }

        stream.Begin(in packet.Src, in packet.Dst, packet.DstPort, packet.TcpSeq);
        return true;
    }

    private void TakeMessages(DnsStream stream, ReadOnlySpan<byte> payload, int missing, in DecodedPacket packet, long timeUs)
    {
        while (payload.Length > 0)
        {
            var begun = stream.IsPending;
            var ended = stream.Take(ref payload, out var message, out var cut);
            Account.Seen(!begun && (ended || stream.IsPending) ? 1 : 0);
            if (!ended)
            {
                continue;
            }

            Conclude(message, cut, in packet, timeUs);
            if (message.Length < DnsHeader)
            {
                // Not DNS, or not where a message begins.
                stream.Forget();
                return;
            }
        }

        if (missing > 0 && !stream.TrySkip(missing))
        {
            Account.Seen(stream.IsPending ? 0 : 1);
            Conclude(stream.TakeCut(missing), cut: true, in packet, timeUs);
        }
    }

    private void Conclude(ReadOnlySpan<byte> message, bool cut, in DecodedPacket packet, long timeUs)
    {
        var result = answer.Read(message, cut);
        var characters = result == DnsResult.Answered ? DnsName.TextLength(answer.Question) : 0;
        if (result == DnsResult.Answered && characters is 0 or > DnsName.CharactersMax)
        {
            result = characters == 0 ? DnsResult.NoAddress : DnsResult.NameTooLong;
        }

        if (result != DnsResult.Answered)
        {
            Account.Dropped(result.Reason());
            return;
        }

        Account.Forwarded();
        string? name = null;
        foreach (ref readonly var address in answer.Addresses)
        {
            if (cache.IsNews(in packet.Dst, answer.Question, in address, answer.TtlSeconds, timeUs))
            {
                name ??= DnsName.Text(answer.Question);
                report(new NameFact(packet.Dst.ToString(), name, address.ToString(), answer.TtlSeconds, timeUs));
            }
        }
    }

    /// <summary>A message that has begun and will not be whole is lost.</summary>
    private void Lose(DnsStream stream)
    {
        Account.Dropped(DnsResult.TcpGap.Reason(), stream.IsPending ? 1 : 0);
        stream.Forget();
    }

    private DnsStream StreamOf(in DecodedPacket packet, long timeUs)
    {
        var hash = Mix.Fold(packet.Src.Low ^ packet.DstPort, packet.Dst.Low);
        var place = (int)(Mix.Fold(hash ^ packet.Src.High, packet.Dst.High) % StreamsMax);
        var stream = streams[place] ??= new DnsStream();
        var mine = stream.Server == packet.Src && stream.Client == packet.Dst && stream.Port == packet.DstPort;
        if (stream.Used && (!mine || Math.Abs(timeUs - streamSeenUs[place]) > StreamIdleMaxUs))
        {
            Lose(stream);
        }

        streamSeenUs[place] = timeUs;
        return stream;
    }
}
