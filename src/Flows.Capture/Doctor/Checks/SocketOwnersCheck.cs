using System.Buffers.Binary;
using Flows.Capture.Conntrack;
using Flows.Capture.Doctor.Asks;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Whether the kernel lists this namespace's sockets (sock_diag) with user and cgroup.</summary>
internal sealed class SocketOwnersCheck() : Check("socket_owners", "owners")
{
    // struct inet_diag_msg of linux/inet_diag.h, and INET_DIAG_CGROUP_ID.
    private const int MessageBytes = 72;
    private const ushort CgroupId = 21;

    private const string Hides = "not seen: which user, unit or container on this node owns a connection";

    public override Finding Look(NodeView node)
    {
        var answer = node.Netlink(NetlinkQuestion.SockDiag, NetlinkQuestion.OfTcpSockets());
        if (!answer.Answered)
        {
            return Warn($"the kernel lists no sockets: {answer.Why}", Hides, "modprobe tcp_diag && modprobe udp_diag");
        }

        var sockets = answer.Parts.Where(part => part.Type == NetlinkQuestion.SockDiagByFamily && part.Payload.Length >= MessageBytes).ToList();
        return sockets.Count == 0 ? Ok("sockets can be listed with their user; none is open just now to show whether with their cgroup")
            : sockets.Any(part => HasCgroup(part.Payload)) ? Ok("sockets are listed with user and cgroup")
            : Warn(
                "sockets are listed with their user, but without cgroup",
                "not seen: which unit or container owns a connection; the user is known",
                "use a kernel of 5.10 or later, built with CONFIG_SOCK_CGROUP_DATA");
    }

    private static bool HasCgroup(ReadOnlySpan<byte> message)
    {
        var attributes = new AttributeReader(message[MessageBytes..]);
        while (attributes.Next())
        {
            if (attributes.Type == CgroupId && attributes.Value.Length == sizeof(ulong) && BinaryPrimitives.ReadUInt64LittleEndian(attributes.Value) != 0)
            {
                return true;
            }
        }

        return false;
    }
}
