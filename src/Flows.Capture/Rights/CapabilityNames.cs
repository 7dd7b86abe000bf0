using System.Numerics;

namespace Flows.Capture.Rights;

/// <summary>How people write capabilities: capabilities(7).</summary>
public static class CapabilityNames
{
    // Longer lists are only counted: nobody reads forty names in a table.
    private const int NamedMax = 6;

    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE",
        "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN",
        "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE",
        "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    /// <summary>The name of one capability without <c>CAP_</c>, as manifests write it: <c>NET_ADMIN</c>.</summary>
    public static string Bare(Capabilities one)
    {
        var bit = BitOperations.TrailingZeroCount((ulong)one);
        return bit < Names.Length ? Names[bit] : $"{bit}";
    }

    /// <summary>A set in words: <c>none</c>, up to six names, or how many.</summary>
    public static string Of(Capabilities set)
    {
        var count = BitOperations.PopCount((ulong)set);
        if (count > NamedMax)
        {
            return $"{count} capabilities";
        }

        var names = Enumerable.Range(0, 64).Select(bit => (Capabilities)(1UL << bit)).Where(one => (set & one) != 0).Select(one => "CAP_" + Bare(one));
        return count == 0 ? "none" : string.Join(", ", names);
    }
}
