using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Flows.SystemTests.Conntrack;

/// <summary>Real connections over the namespaces of <see cref="ConntrackNetns"/>.</summary>
internal static class Traffic
{
    /// <summary>Within which a program that is started has executed.</summary>
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Listens there, also where somebody has just ceased to: a program that is started meanwhile has a copy of every socket from fork(2) to execve(2), and keeps a closed
    /// listener alive for so long.
    /// </summary>
    public static Socket Listen(AddressFamily family, string address, int port = 8080, int backlog = 512)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
                socket.Listen(backlog);
                return socket;
            }
            catch (SocketException used) when (used.SocketErrorCode == SocketError.AddressAlreadyInUse && waited.Elapsed < StartMax)
            {
                socket.Dispose();
                Thread.Sleep(5);
            }
        }
    }

    public static Socket Answering(string address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }

    public static Socket Connect(string address, int port, int from = 0)
    {
        var ip = IPAddress.Parse(address);
        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000, NoDelay = true };
        if (from != 0)
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, from));
        }

        socket.Connect(ip, port);
        return socket;
    }

    public static SocketError TryConnect(ConntrackNetns net, string address, int port) => net.InClient(() =>
    {
        try
        {
            using var socket = Connect(address, port);
            return SocketError.Success;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode;
        }
    });

    public static void Exchange(ConntrackNetns net, Socket listener, string address, int port, int request, int response)
    {
        using var socket = net.InClient(() => Connect(address, port));
        using var peer = listener.Accept();
        Send(socket, peer, request);
        Send(peer, socket, response);
        socket.Shutdown(SocketShutdown.Both);
        peer.Shutdown(SocketShutdown.Both);
    }

    public static void Ask(ConntrackNetns net, string address, int port, Socket? answering = null)
    {
        using var socket = net.InClient(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 });
        socket.SendTo(new byte[30], new IPEndPoint(IPAddress.Parse(address), port));
        if (answering is not null)
        {
            var buffer = new byte[100];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            var length = answering.ReceiveFrom(buffer, ref from);
            answering.SendTo(buffer.AsSpan(0, length), from);
            socket.Receive(buffer);
        }
    }

    public static void Send(Socket from, Socket to, int bytes)
    {
        from.Send(new byte[bytes]);
        var buffer = new byte[bytes];
        for (var got = 0; got < bytes;)
        {
            got += to.Receive(buffer.AsSpan(got));
        }
    }

    /// <summary>One datagram for each of <paramref name="flows"/> pairs of ports, from the calling thread's namespace to a host where nobody listens.</summary>
    public static void Flood(string address, int flows, int sourcePort = 5000)
    {
        const int PortsEach = 50_000;
        var payload = new byte[18];
        for (var sent = 0; sent < flows;)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Any, sourcePort + (sent / PortsEach)));
            for (var port = 0; port < PortsEach && sent < flows; port++, sent++)
            {
                var to = new IPEndPoint(IPAddress.Parse(address), 10_000 + port).Serialize();
                try
                {
                    socket.SendTo(payload, SocketFlags.None, to);
                }
                catch (SocketException)
                {
                    // The port unreachable that answered an earlier one: this one was not sent.
                    socket.SendTo(payload, SocketFlags.None, to);
                }
            }
        }
    }

    /// <summary>Closes a connected socket without a word to its peer, for whom the connection lives on (TCP_REPAIR of linux/tcp.h; needs CAP_NET_ADMIN).</summary>
    public static void Abandon(Socket socket)
    {
        const int TcpRepair = 19;
        socket.SetRawSocketOption(6, TcpRepair, BitConverter.GetBytes(1));
        socket.Dispose();
    }
}
