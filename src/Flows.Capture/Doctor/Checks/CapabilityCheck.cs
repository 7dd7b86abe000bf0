using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>One capability without which a whole source sees nothing.</summary>
/// <param name="id">The check's id.</param>
/// <param name="one">The capability.</param>
/// <param name="gives">What can be done with it.</param>
/// <param name="hides">What cannot be seen without.</param>
internal sealed class CapabilityCheck(string id, Capabilities one, string gives, string hides) : Check(id, "rights")
{
    public override Finding Look(NodeView node)
    {
        var name = CapabilityNames.Of(one);
        if (node.Rights is not { } rights)
        {
            return Unknown($"whether this process has {name} is not known", hides);
        }

        if ((rights.Effective & one) == one)
        {
            return Ok($"{name} is there: {gives}");
        }

        var bounded = (rights.Bounding & one) == 0 ? ", and the bounding set keeps it from ever being gained" : "";
        var unit = (rights.Bounding & one) == 0 ? $"AmbientCapabilities= and CapabilityBoundingSet= of the unit: add {name}" : $"AmbientCapabilities= of the unit: add {name}";
        var small = CapabilityNames.Bare(one);
        return Fail($"{name} is missing{bounded}", hides, $"""
            {unit}
            securityContext.capabilities.add of the container: add {small}
            setpriv --reuid UID --regid GID --clear-groups --inh-caps +{Lower(small)} --ambient-caps +{Lower(small)} flows collect ...
            """);
    }

    // setpriv wants lower case.
#pragma warning disable CA1308
    private static string Lower(string name) => name.ToLowerInvariant();
#pragma warning restore CA1308
}
