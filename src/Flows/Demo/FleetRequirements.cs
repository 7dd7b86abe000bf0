using Flows.Core;

namespace Flows.Demo;

/// <summary>What this machine must offer for a fleet, checked before anything is made.</summary>
internal static class FleetRequirements
{
    private static readonly string[] Tools = ["ip", "nft", "unshare", "nsenter", "setsid"];

    /// <summary>
    /// How to start this executable again, also when a test or <c>dotnet flows.dll</c> is the running program.
    /// </summary>
    public static IReadOnlyList<string> FlowsCommand
    {
        get
        {
            var besides = Path.Combine(AppContext.BaseDirectory, "flows");
            return File.Exists(besides) ? [besides] : ["dotnet", besides + ".dll"];
        }
    }

    /// <exception cref="FlowsException">Not Linux, not root, or a tool is missing; it says which.</exception>
    public static void Check()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new FlowsException(ExitCode.Failed, "The demo's fleet lives in Linux network namespaces; on this system only a recorded run can be replayed.");
        }

        if (!Environment.IsPrivilegedProcess)
        {
            throw new FlowsException(ExitCode.Failed, "The demo's fleet needs root to make network namespaces; run it with sudo.");
        }

        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var missing = Tools.Where(tool => !directories.Any(directory => File.Exists(Path.Combine(directory, tool)))).ToList();
        if (missing.Count > 0)
        {
            throw new FlowsException(
                ExitCode.Failed, $"The demo needs {string.Join(", ", missing)} in PATH; install iproute2 nftables util-linux ('./dev demo' does).");
        }

        if (!File.Exists("/proc/self/ns/net"))
        {
            throw new FlowsException(ExitCode.Failed, "This kernel has no network namespaces (/proc/self/ns/net is missing), so the demo's fleet cannot be built.");
        }
    }
}
