using System.Runtime.InteropServices;
using Flows.Capture.Conntrack;

namespace Flows.Capture.Doctor.Asks;

/// <summary>What the kernel grants: bytes as they were asked for (it doubles them for its own use), and whether the limit could be passed.</summary>
internal sealed record ReceiveBuffer(int Bytes, bool Forced);

/// <summary>Really tries to get a receive buffer, on a netlink socket that is closed again. Nothing is allocated by that.</summary>
internal static unsafe class ReceiveBufferAsk
{
    public static ReceiveBuffer Try(int bytes)
    {
        var fd = NetlinkNative.Socket(NetlinkNative.AfNetlink, NetlinkNative.SockRaw | NetlinkNative.SockCloexec, NetlinkNative.NetlinkNetfilter);
        if (fd < 0)
        {
            return new ReceiveBuffer(0, false);
        }

        try
        {
            var forced = NetlinkNative.SetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbufForce, &bytes, sizeof(int)) == 0;
            if (!forced)
            {
                _ = NetlinkNative.SetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbuf, &bytes, sizeof(int));
            }

            var granted = 0;
            var length = (uint)sizeof(int);
            return NetlinkNative.GetOption(fd, NetlinkNative.SolSocket, NetlinkNative.SoRcvbuf, &granted, &length) == 0
                ? new ReceiveBuffer(granted / 2, forced)
                : new ReceiveBuffer(0, forced);
        }
        finally
        {
            _ = NetlinkNative.Close(fd);
        }
    }
}
