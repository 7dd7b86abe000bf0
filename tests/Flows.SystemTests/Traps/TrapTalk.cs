using System.Net;
using System.Net.Sockets;
using System.Text;
using Flows.SystemTests.Conntrack;

namespace Flows.SystemTests.Traps;

/// <summary>An address in a namespace.</summary>
internal readonly record struct TrapEnd(string Space, string Address)
{
    public IPAddress Ip => IPAddress.Parse(Address);
}

/// <summary>A connection that is up, with both its sockets.</summary>
internal sealed record TrapConnection(Socket Client, Socket Server) : IDisposable
{
    /// <summary>So many bytes each way.</summary>
    public void Speak(int bytes = 500)
    {
        Traffic.Send(Client, Server, bytes);
        Traffic.Send(Server, Client, bytes);
    }

    /// <summary>Ends in order: the client first.</summary>
    public void Dispose()
    {
        Client.Shutdown(SocketShutdown.Both);
        Server.Shutdown(SocketShutdown.Both);
        Client.Dispose();
        Server.Dispose();
    }
}

/// <summary>Real sockets between two ends of the lab.</summary>
internal static class TrapTalk
{
    private const int PatienceMs = 5000;

    /// <summary>Opens a connection to an address and port, which the server's end answers at a port of its own.</summary>
    public static TrapConnection Open(TrapEnd client, string dialled, int port, TrapEnd server, int answering)
    {
        using var listener = Listen(server, answering);
        var socket = Dial(client, dialled, port);
        return new(socket, Accept(listener));
    }

    /// <summary>As <see cref="Open"/>, says something both ways, and ends in order.</summary>
    public static void Exchange(TrapEnd client, string dialled, int port, TrapEnd server, int answering)
    {
        using var connection = Open(client, dialled, port, server, answering);
        connection.Speak();
    }

    /// <summary>Dials the server's own address and port.</summary>
    public static void Exchange(TrapEnd client, TrapEnd server, int port) => Exchange(client, server.Address, port, server, port);

    public static TrapConnection Open(TrapEnd client, TrapEnd server, int port) => Open(client, server.Address, port, server, port);

    /// <summary>Tries to connect where nobody answers in time, or somebody says no, and tells how that ended.</summary>
    public static SocketError Try(TrapEnd client, string dialled, int port, int patienceMs = PatienceMs) => ConntrackNetns.In(client.Space, () =>
    {
        using var socket = Bound(client);
        return Connect(socket, dialled, port, patienceMs);
    });

    public static Socket Listen(TrapEnd server, int port) => ConntrackNetns.In(server.Space, () => Traffic.Listen(server.Ip.AddressFamily, server.Address, port));

    public static Socket Accept(Socket listener)
    {
        var peer = listener.Accept();
        peer.ReceiveTimeout = PatienceMs;
        return peer;
    }

    public static Socket Datagrams(TrapEnd end, int port) => ConntrackNetns.In(end.Space, () =>
    {
        var socket = new Socket(end.Ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = PatienceMs };
        socket.Bind(new IPEndPoint(end.Ip, port));
        return socket;
    });

    /// <summary>One datagram from one socket to the other, and one back.</summary>
    public static void Ask(Socket asking, Socket answering)
    {
        var buffer = new byte[512];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        asking.SendTo(new byte[40], answering.LocalEndPoint!);
        answering.ReceiveFrom(buffer, ref from);
        answering.SendTo(new byte[60], from);
        asking.Receive(buffer);
    }

    /// <summary>Asks a name server for a name and is told an address that counts for one second (RFC 1035 section 4.1).</summary>
    public static void Resolve(TrapEnd client, TrapEnd server, string name, string address)
    {
        using var answering = Datagrams(server, 53);
        using var asking = Datagrams(client, 0);
        byte[] question = [.. name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0, 0, 1, 0, 1];
        var buffer = new byte[512];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        asking.SendTo([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. question], answering.LocalEndPoint!);
        answering.ReceiveFrom(buffer, ref from);
        answering.SendTo([0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, .. question, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, .. IPAddress.Parse(address).GetAddressBytes()], from);
        asking.Receive(buffer);
    }

    /// <summary>Connects, or tells who does not reach whom.</summary>
    public static Socket Dial(TrapEnd from, string to, int port) => ConntrackNetns.In(from.Space, () =>
    {
        var socket = Bound(from);
        var ended = Connect(socket, to, port, PatienceMs);
        if (ended == SocketError.Success)
        {
            return socket;
        }

        socket.Dispose();
        throw new InvalidOperationException($"{from} does not reach {to} port {port}: {ended}");
    });

    private static Socket Bound(TrapEnd client)
    {
        var socket = new Socket(client.Ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = PatienceMs, NoDelay = true };
        socket.Bind(new IPEndPoint(client.Ip, 0));
        return socket;
    }

    /// <summary>
    /// Waits on its own thread: the traps talk side by side, more of them than the pool has threads on a small machine, and whoever waits for the pool is told of an
    /// answer up to a second after it came.
    /// </summary>
    private static SocketError Connect(Socket socket, string address, int port, int patienceMs)
    {
        var answered = true;
        socket.Blocking = false;
        try
        {
            socket.Connect(IPAddress.Parse(address), port);
        }
        catch (SocketException pending) when (pending.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            answered = socket.Poll(TimeSpan.FromMilliseconds(patienceMs), SelectMode.SelectWrite);
        }

        // A refusal by ICMP ends the wait without an answer.
        var refused = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        socket.Blocking = true;
        return refused != SocketError.Success || answered ? refused : SocketError.TimedOut;
    }
}
