using Flows.Capture.Conntrack;

namespace Flows.Capture.Doctor.Asks;

/// <summary>One message of an answer, without its netlink header.</summary>
internal sealed record NetlinkPart(ushort Type, byte[] Payload);

/// <summary>What a netlink family answered.</summary>
/// <param name="Errno">0, or why the kernel refused (errno.h).</param>
/// <param name="Complete">False where it was more than is read, or took too long.</param>
/// <param name="Parts">The messages that came.</param>
internal sealed record NetlinkAnswer(int Errno, bool Complete, IReadOnlyList<NetlinkPart> Parts)
{
    /// <summary>Whether the kernel answered the question, all of it or a part.</summary>
    public bool Answered => Errno == 0;

    /// <summary>In words, why not.</summary>
    public string Why => Errno switch
    {
        NetlinkNative.Eperm or NetlinkNative.Eacces => "that needs CAP_NET_ADMIN",
        NetlinkNative.Eprotonosupport or NetlinkNative.Eafnosupport => "this kernel offers no such netlink family",
        _ => $"the kernel answered with errno {Errno}",
    };
}
