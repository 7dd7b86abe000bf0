using System.Net;
using System.Net.Sockets;

namespace Flows.Benchmarks.Replay;

/// <summary>A collector for the peer's export that takes every datagram and forgets it: without one the peer would get errors and do less.</summary>
internal sealed class UdpSink : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public UdpSink()
    {
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        new Thread(Drain) { IsBackground = true, Name = "sink" }.Start();
    }

    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public void Dispose() => socket.Dispose();

    private void Drain()
    {
        var datagram = new byte[65_536];
        try
        {
            while (true)
            {
                socket.Receive(datagram);
            }
        }
        catch (SocketException)
        {
            // The socket was closed: the comparison is over.
        }
        catch (ObjectDisposedException)
        {
            // As above, seen between two calls.
        }
    }
}
