using Flows.Core;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Packets are captured through libpcap, with the kernel's ring of variable slots.</summary>
internal sealed class LibpcapCheck() : Check("libpcap", "kernel")
{
    public override Finding Look(NodeView node) => node.LibpcapVersion() switch
    {
        null => Fail("libpcap is not installed", "not seen: packets of any interface", "apt-get install libpcap0.8"),
        var version when !version.Contains("TPACKET_V3", StringComparison.Ordinal) => Warn(
            $"{VisibleText.Of(version)}, built without TPACKET_V3", "a ring with fixed slots holds fewer small packets, so bursts are lost earlier", "apt-get install libpcap0.8"),
        var version => Ok(VisibleText.Of(version)),
    };
}
