using System.Globalization;

namespace Flows.Capture.Rights;

/// <summary>What one thread may do, from its <c>status</c> file in /proc (proc_pid_status(5)). On Linux every thread has rights of its own.</summary>
/// <param name="Uid">The effective user id.</param>
/// <param name="Effective">What the kernel checks.</param>
/// <param name="Permitted">What may be made effective.</param>
/// <param name="Inheritable">What an executed file may take over.</param>
/// <param name="Bounding">What an executed file may gain at most.</param>
/// <param name="Ambient">What survives executing a file without capabilities of its own.</param>
/// <param name="NoNewPrivileges">Executing a file gives nothing more, for ever.</param>
public sealed record ThreadRights(
    uint Uid, Capabilities Effective, Capabilities Permitted, Capabilities Inheritable, Capabilities Bounding, Capabilities Ambient, bool NoNewPrivileges)
{
    /// <summary>Reads the text of a <c>status</c> file; null if it is none.</summary>
    public static ThreadRights? Parse(string status)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in status.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                fields[line[..colon]] = line[(colon + 1)..].Trim();
            }
        }

        var uids = fields.GetValueOrDefault("Uid", "").Split('\t', StringSplitOptions.RemoveEmptyEntries);
        return uids.Length == 4 && uint.TryParse(uids[1], NumberStyles.None, CultureInfo.InvariantCulture, out var uid)
            && Set("CapEff") is { } effective && Set("CapPrm") is { } permitted && Set("CapInh") is { } inheritable && Set("CapBnd") is { } bounding
            ? new ThreadRights(uid, effective, permitted, inheritable, bounding, Set("CapAmb") ?? Capabilities.None, fields.GetValueOrDefault("NoNewPrivs") == "1")
            : null;

        Capabilities? Set(string name) =>
            ulong.TryParse(fields.GetValueOrDefault(name), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? (Capabilities)bits : null;
    }

    /// <summary>
    /// Has nothing beyond <paramref name="keep"/> and cannot gain it. The bounding set counts only where it can be made smaller: without
    /// CAP_SETPCAP nobody can, and with no_new_privs it gives nothing.
    /// </summary>
    public bool IsWithin(Capabilities keep) =>
        NoNewPrivileges
        && ((Effective | Permitted | Inheritable | Ambient) & ~keep) == 0
        && ((Bounding & ~keep) == 0 || (Effective & Capabilities.SetPcap) == 0);
}
