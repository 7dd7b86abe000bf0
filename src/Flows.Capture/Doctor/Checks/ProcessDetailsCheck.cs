using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Process id and executable of a socket's owner: opt-in, as it takes CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and the node's process namespace.</summary>
internal sealed class ProcessDetailsCheck() : Check("process_details", "owners")
{
    // PROC_PID_INIT_INO of linux/proc_fs.h.
    private const string First = "pid:[4026531836]";

    private const string Mend = "AmbientCapabilities= and CapabilityBoundingSet= of the unit: add CAP_SYS_PTRACE CAP_DAC_READ_SEARCH; then --owner-processes";
    private const string Hides = "not seen: process id and executable of who owns a connection; user, unit and container are known without";

    public override Finding Look(NodeView node)
    {
        if (node.Files.Link("proc/self/ns/pid") is not { } space)
        {
            return Unknown("/proc/self/ns/pid cannot be read", Hides);
        }

        var lacks = new List<string>();
        if (!node.Has(Capabilities.SysPtrace))
        {
            lacks.Add("CAP_SYS_PTRACE");
        }

        if (!node.Has(Capabilities.DacReadSearch))
        {
            // Without it the descriptors of another user's process cannot be listed, whatever CAP_SYS_PTRACE allows.
            lacks.Add("CAP_DAC_READ_SEARCH");
        }

        if (space != First)
        {
            lacks.Add("the node's process namespace (hostPID: true)");
        }

        if (node.Files.Lines("proc/self/mounts").Any(HidesProcesses))
        {
            lacks.Add("a /proc without hidepid");
        }

        // Least privilege is the rule, so that this is missing is in order.
        return lacks.Count == 0
            ? Ok("CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are there: processes behind sockets can be told")
            : Ok($"opt-in, not in force: lacks {string.Join(" and ", lacks)}", Hides, Mend);
    }

    private static bool HidesProcesses(string mount) =>
        mount.StartsWith("proc /proc ", StringComparison.Ordinal)
        && (mount.Contains("hidepid=2", StringComparison.Ordinal) || mount.Contains("hidepid=invisible", StringComparison.Ordinal));
}
