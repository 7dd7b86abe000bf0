using Flows.Capture.Rights;

namespace Flows.Capture.Doctor.Checks;

/// <summary>Network namespaces beside this one: opt-in, as entering them takes CAP_SYS_ADMIN.</summary>
internal sealed class OtherNamespacesCheck() : Check("other_namespaces", "owners")
{
    // A node has thousands of processes and some hundred namespaces; the count is for people.
    private const int ProcessesMax = 4096;

    private const string Hides = "not seen: sockets of other network namespaces (pods), and connections that never leave them; what passes through this one is seen";

    public override Finding Look(NodeView node)
    {
        var own = node.Files.Link("proc/self/ns/net");
        if (own is null)
        {
            return Unknown("/proc/self/ns/net cannot be read", Hides);
        }

        var processes = node.Files.Names("proc").Where(name => char.IsAsciiDigit(name[0])).Take(ProcessesMax).ToList();
        var links = processes.Select(pid => node.Files.Link($"proc/{pid}/ns/net")).ToList();
        var others = links.OfType<string>().Where(link => link != own).Distinct(StringComparer.Ordinal).Count();
        var hidden = links.Count(link => link is null);
        var found = $"{Wording.Count(others, "other network namespace", "other network namespaces")} in use{(hidden > 0 ? $" by processes that may be looked at ({hidden} may not)" : "")}";
        return node.Has(Capabilities.SysAdmin)
            ? Ok($"{found}; CAP_SYS_ADMIN is there to enter them")
            : Ok($"{found}; entering them is opt-in, not in force: lacks CAP_SYS_ADMIN", Hides, "AmbientCapabilities= of the unit: add CAP_SYS_ADMIN");
    }
}
