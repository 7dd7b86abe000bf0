using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Who this is and with which sets of capabilities: everything else here was looked at with these.</summary>
internal sealed class RightsCheck() : Check("rights", "rights")
{
    public override Finding Look(NodeView node)
    {
        if (node.Rights is not { } rights)
        {
            return Unknown("/proc/self/status cannot be read", "what this process may do is not known");
        }

        var sets = $"effective {CapabilityNames.Of(rights.Effective)}; bounding {CapabilityNames.Of(rights.Bounding)}; ambient {CapabilityNames.Of(rights.Ambient)}";
        return Ok($"uid {rights.Uid}; {sets}{(rights.NoNewPrivileges ? "; no new privileges" : "")}");
    }
}
