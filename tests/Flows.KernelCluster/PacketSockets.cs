using System.Runtime.InteropServices;

namespace Flows.KernelCluster;

/// <summary>What packet sockets (packet(7)) share.</summary>
internal static class PacketSockets
{
    /// <exception cref="InvalidOperationException">The call failed.</exception>
    public static void Check(bool done, string call)
    {
        if (!done)
        {
            throw new InvalidOperationException($"packet socket: {call} failed with errno {Marshal.GetLastPInvokeError()}; it takes CAP_NET_RAW and CAP_NET_ADMIN");
        }
    }
}
