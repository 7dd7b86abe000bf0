using System.Globalization;
using Flows.Capture.Rights;

namespace Flows;

/// <summary>Which rights a collector keeps: what its sources need, and nothing for what nobody asked for.</summary>
internal static class CollectorRights
{
    private const int PrivilegedPortsEnd = 1024;

    /// <summary>
    /// What <paramref name="sources"/> need. The two basic ones are kept whatever is watched, so that every collector of a fleet looks the same to
    /// whoever audits it.
    /// </summary>
    public static Capabilities Of(SourceOptions sources)
    {
        // Entering a namespace takes CAP_SYS_ADMIN; finding it behind somebody's process takes CAP_SYS_PTRACE as well (setns(2), namespaces(7)).
        var isBehindProcess = sources.Namespaces.Any(path => path.StartsWith("/proc/", StringComparison.Ordinal));
        return Capabilities.NetAdmin | Capabilities.NetRaw
            | (sources is { Owners: true, OwnerProcesses: true } ? Capabilities.SysPtrace | Capabilities.DacReadSearch : Capabilities.None)
            | (sources.Namespaces.Count > 0 ? Capabilities.SysAdmin : Capabilities.None)
            | (isBehindProcess ? Capabilities.SysPtrace : Capabilities.None);
    }

    /// <summary>What it takes to listen there.</summary>
    public static Capabilities ToListen(IEnumerable<string> addresses) =>
        addresses.Any(address => int.TryParse(address[(address.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < PrivilegedPortsEnd)
            ? Capabilities.NetBindService
            : Capabilities.None;

    /// <summary>Gives up everything else. To be called first of all: it may execute this program anew.</summary>
    /// <returns>The sources, with a warning for the operator if something is not as it should be.</returns>
    public static SourceOptions Keep(SourceOptions sources, Capabilities alsoNeeded = Capabilities.None) =>
        sources with { RightsWarning = LeastRights.Keep(Of(sources) | alsoNeeded) };
}
