using Flows.Capture.Packets;

namespace Flows.Benchmarks.Traffic;

/// <summary>
/// Writes traffic as a cluster of microservices would make it: 2,000 pods, a few busy services, TCP sessions of some requests, DNS, UDP,
/// refused and unanswered scans, and a few long sessions. Made packet by packet in time order, so that a capture of any length needs
/// the memory of what lives at once.
/// </summary>
internal sealed class MicroTraffic(TrafficPlan plan)
{
    private const long StartUs = 1_760_000_000_000_000;
    private const int Pods = 2000;
    private const int Services = 100;
    private const int FirstPort = 32768;
    private const int LastPort = 60999;
    private const int DnsPort = 53;
    private const int SegmentBytes = 1400;

    // 800 new connections a second, about 10,000 packets a second.
    private const double MeanGapUs = 1250;

    private static readonly ushort[] ServicePorts = [80, 8080, 8443, 5432, 6379, 9092, 3306, 50051, 9200, 27017];

    private readonly Random random = new(plan.Seed);
    private readonly int[] nextPort = new int[Pods];
    private readonly PriorityQueue<PlannedPacket, (long TimeUs, long Order)> waiting = new();
    private readonly Queue<Talk> closed = new();
    private readonly MicroFrame frame = new();
    private long order;

    public void WriteTo(PcapFileWriter file)
    {
        for (var pod = 0; pod < Pods; pod++)
        {
            nextPort[pod] = random.Next(FirstPort, LastPort);
        }

        var timeUs = (double)StartUs;
        while (file.Packets < plan.Packets)
        {
            timeUs += -Math.Log(1 - random.NextDouble()) * MeanGapUs;
            while (waiting.TryPeek(out var packet, out _) && packet.TimeUs < timeUs)
            {
                frame.WriteTo(file, waiting.Dequeue());
            }

            Begin((long)timeUs);
        }

        while (waiting.TryDequeue(out var packet, out _))
        {
            frame.WriteTo(file, packet);
        }
    }

    private void Begin(long timeUs)
    {
        var kind = random.NextDouble() switch
        {
            < 0.60 => Kind.Tcp,
            < 0.62 => Kind.TcpReset,
            < 0.85 => Kind.Dns,
            < 0.93 => Kind.Udp,
            < 0.97 => Kind.Refused,
            < 0.995 => Kind.Unanswered,
            _ => Kind.Long,
        };
        var talk = kind == Kind.Tcp && random.NextDouble() < plan.Reuse && closed.TryPeek(out var old) && old.EndUs + 1_000_000 < timeUs
            ? Again(closed.Dequeue())
            : New(kind);
        talk.ClientSequence = (uint)random.NextInt64(uint.MaxValue);
        talk.ServerSequence = (uint)random.NextInt64(uint.MaxValue);
        Converse(talk, timeUs);
        if (kind == Kind.Tcp && plan.Reuse > 0)
        {
            closed.Enqueue(talk);
        }
    }

    private Talk New(Kind kind)
    {
        var client = random.Next(Pods);

        // Squared, so that some services get most of the calls.
        var service = (int)(Services * Math.Pow(random.NextDouble(), 2));
        var server = kind == Kind.Dns ? random.Next(2) : service + (Services * random.Next(Pods / Services));
        if (server == client)
        {
            server = (server + Services) % Pods;
        }

        nextPort[client] = nextPort[client] >= LastPort ? FirstPort : nextPort[client] + 1;
        return new Talk
        {
            Client = client,
            Server = server,
            Kind = kind,
            ClientPort = (ushort)nextPort[client],
            IsSix = random.NextDouble() < plan.SixShare,
            ServerPort = kind switch
            {
                Kind.Dns => DnsPort,
                Kind.Refused or Kind.Unanswered => (ushort)random.Next(1, FirstPort),
                _ => ServicePorts[service % ServicePorts.Length],
            },
            Wrap = !plan.Encapsulated ? Wrap.Plain : random.Next(5) switch { 0 => Wrap.Vlan, 1 => Wrap.Vxlan, _ => Wrap.Plain },
        };
    }

    private static Talk Again(Talk old) => new()
    {
        Client = old.Client,
        Server = old.Server,
        ClientPort = old.ClientPort,
        ServerPort = old.ServerPort,
        IsSix = old.IsSix,
        Kind = Kind.Tcp,
        Wrap = old.Wrap,
    };

    private void Converse(Talk talk, long timeUs)
    {
        switch (talk.Kind)
        {
            case Kind.Dns or Kind.Udp:
                for (var turn = talk.Kind == Kind.Dns ? 1 : random.Next(1, 7); turn > 0; turn--)
                {
                    Send(talk, timeUs, forward: true, talk.Kind == Kind.Dns ? 40 : random.Next(100, 500), 0);
                    timeUs += RoundTripUs();
                    Send(talk, timeUs, forward: false, random.Next(60, 460), 0);
                    timeUs += RoundTripUs() * 20;
                }

                break;
            case Kind.Refused:
                Send(talk, timeUs, forward: true, 0, TcpFlags.Syn);
                Send(talk, timeUs + RoundTripUs(), forward: false, 0, TcpFlags.Rst | TcpFlags.Ack);
                break;
            case Kind.Unanswered:
                Send(talk, timeUs, forward: true, 0, TcpFlags.Syn);
                talk.ClientSequence--;
                Send(talk, timeUs + 1_000_000, forward: true, 0, TcpFlags.Syn);
                break;
            default:
                ConverseTcp(talk, timeUs);
                break;
        }
    }

    private void ConverseTcp(Talk talk, long timeUs)
    {
        Send(talk, timeUs, forward: true, 0, TcpFlags.Syn);
        timeUs += RoundTripUs();
        Send(talk, timeUs, forward: false, 0, TcpFlags.Syn | TcpFlags.Ack);
        timeUs += 30;
        Send(talk, timeUs, forward: true, 0, TcpFlags.Ack);
        for (var turn = talk.Kind == Kind.Long ? random.Next(50, 150) : random.Next(1, 5); turn > 0; turn--)
        {
            timeUs += RoundTripUs();
            Send(talk, timeUs, forward: true, random.Next(80, 680), TcpFlags.Ack);
            timeUs += RoundTripUs();
            for (var left = 100 + (int)(Math.Pow(random.NextDouble(), 4) * 12_000); left > 0; left -= SegmentBytes)
            {
                Send(talk, timeUs, forward: false, Math.Min(left, SegmentBytes), TcpFlags.Ack);
                timeUs += 12;
            }

            timeUs += 40;
            Send(talk, timeUs, forward: true, 0, TcpFlags.Ack);
            timeUs += talk.Kind == Kind.Long ? 100_000 : 0;
        }

        timeUs += RoundTripUs();
        if (talk.Kind == Kind.TcpReset)
        {
            Send(talk, timeUs, forward: false, 0, TcpFlags.Rst | TcpFlags.Ack);
            return;
        }

        Send(talk, timeUs, forward: true, 0, TcpFlags.Fin | TcpFlags.Ack);
        timeUs += RoundTripUs();
        Send(talk, timeUs, forward: false, 0, TcpFlags.Fin | TcpFlags.Ack);
        Send(talk, timeUs + 30, forward: true, 0, TcpFlags.Ack);
    }

    private void Send(Talk talk, long timeUs, bool forward, int payload, byte flags)
    {
        var sequence = forward ? talk.ClientSequence : talk.ServerSequence;
        var acknowledged = forward ? talk.ServerSequence : talk.ClientSequence;
        waiting.Enqueue(new PlannedPacket(talk, timeUs, forward, payload, flags, sequence, acknowledged), (timeUs, order++));
        talk.EndUs = timeUs;
        var advance = (uint)payload + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0);
        if (forward)
        {
            talk.ClientSequence += advance;
        }
        else
        {
            talk.ServerSequence += advance;
        }
    }

    private int RoundTripUs() => random.Next(100, 1000);
}
