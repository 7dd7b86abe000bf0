using System.Globalization;
using System.Text;

namespace Flows.Capture.Owners;

/// <summary>
/// What a cgroup's path says of those who live in it. The names are conventions of systemd (CGROUP_DELEGATION, systemd.unit(5)), of the kubelet
/// (its drivers <c>systemd</c> and <c>cgroupfs</c>) and of container runtimes; nothing else tells. What a path does not say is empty.
/// </summary>
/// <param name="Kind">As in <c>OwnerFact</c>: <c>pod</c>, <c>container</c>, <c>unit</c>, <c>session</c>, <c>cgroup</c>; empty for the root, which says nothing.</param>
/// <param name="Name">What a person calls it.</param>
/// <param name="Unit">The innermost systemd unit that is not a container's scope, as systemctl takes it (with escapes).</param>
/// <param name="ContainerId">The innermost container's id.</param>
/// <param name="PodUid">Kubernetes pod UID with dashes; of a static pod the 32 digits that the kubelet uses instead.</param>
internal sealed record CgroupPath(string Kind, string Name, string Unit, string ContainerId, string PodUid)
{
    /// <summary>The root of the hierarchy, and a path that cannot be told.</summary>
    public static CgroupPath Root { get; } = new("", "", "", "", "");

    private const int ContainerDigits = 64;
    private const int StaticPodDigits = 32;
    private const int UuidLength = 36;

    // Deeper or longer is somebody's play; the kernel itself stops at PATH_MAX.
    private const int PathLengthMax = 4096;

    private static readonly string[] UnitTypes = [".service", ".scope", ".socket", ".mount", ".swap"];

    /// <summary>Reads a path from the root of its hierarchy, such as <c>/system.slice/cron.service</c>. Any text is allowed.</summary>
    public static CgroupPath Parse(string path)
    {
        if (path.Length > PathLengthMax)
        {
            return Root;
        }

        var (unit, manager, container, pod, user) = ("", "", "", "", "");
        var inKubernetes = false;
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (var segment in segments)
        {
            // With systemd's notation and the cgroupfs driver a runtime makes one directory of "slice:prefix:id".
            foreach (var part in segment.Split(':', StringSplitOptions.RemoveEmptyEntries))
            {
                inKubernetes |= part.Contains("kubepods", StringComparison.Ordinal);
                if (inKubernetes && PodOf(part) is { } uid)
                {
                    (pod, container, unit, manager) = (uid, "", "", "");
                }
                else if (ContainerOf(part) is { } id)
                {
                    (container, unit, manager) = (id, "", "");
                }
                else if (IsUnit(part))
                {
                    // user@1000.service is itself a systemd that has units; what lies below belongs to that user.
                    manager = unit.StartsWith("user@", StringComparison.Ordinal) ? unit : manager;
                    unit = part[0] == '_' ? part[1..] : part;
                }
                else if (UserOf(part) is { } number)
                {
                    user = number;
                }
            }
        }

        return Tell(path, unit, manager, container, pod, user, segments.Length);
    }

    /// <summary>Undoes systemd's escapes: <c>\x2d</c> is a dash. A broken escape stays as it is.</summary>
    public static string Unescape(string name)
    {
        if (!name.Contains('\\'))
        {
            return name;
        }

        var bytes = new List<byte>(name.Length);
        for (var at = 0; at < name.Length; at++)
        {
            if (name[at] == '\\' && at + 3 < name.Length && name[at + 1] == 'x'
                && byte.TryParse(name.AsSpan(at + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                at += 3;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(name[at].ToString()));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static CgroupPath Tell(string path, string unit, string manager, string container, string pod, string user, int depth)
    {
        if (pod.Length != 0)
        {
            return new("pod", pod, unit, container, pod);
        }

        if (container.Length != 0)
        {
            return new("container", container, unit, container, "");
        }

        if (manager.Length != 0)
        {
            return new("unit", $"{Unescape(manager)}/{Unescape(unit)}", unit, "", "");
        }

        if (user.Length != 0 && unit.StartsWith("session-", StringComparison.Ordinal))
        {
            return new("session", $"user {user} {Unescape(unit)}", unit, "", "");
        }

        if (unit.Length != 0)
        {
            return new("unit", Unescape(unit), unit, "", "");
        }

        return depth == 0 ? Root : new("cgroup", path, "", "", "");
    }

    private static bool IsUnit(string part) => Array.Exists(UnitTypes, type => part.Length > type.Length && part.EndsWith(type, StringComparison.Ordinal));

    /// <summary><c>user-1000.slice</c> gives 1000.</summary>
    private static string? UserOf(string part) =>
        part.StartsWith("user-", StringComparison.Ordinal) && part.EndsWith(".slice", StringComparison.Ordinal)
        && uint.TryParse(part.AsSpan(5, part.Length - 11), NumberStyles.None, CultureInfo.InvariantCulture, out _) ? part[5..^6] : null;

    /// <summary><c>kubepods-burstable-pod1a2b_….slice</c>, with whatever stands in front, or <c>pod1a2b-…</c>.</summary>
    private static string? PodOf(string part)
    {
        var isSlice = part.EndsWith(".slice", StringComparison.Ordinal);
        var start = isSlice ? part.LastIndexOf("-pod", StringComparison.Ordinal) + 4 : 3;
        if (isSlice ? start < 4 : !part.StartsWith("pod", StringComparison.Ordinal))
        {
            return null;
        }

        var uid = part[start..(isSlice ? part.Length - 6 : part.Length)].Replace('_', '-');
        return IsUid(uid) ? uid : null;
    }

    private static bool IsUid(string text)
    {
        if (text.Length != UuidLength)
        {
            return text.Length == StaticPodDigits && IsHex(text);
        }

        for (var at = 0; at < text.Length; at++)
        {
            var isDash = at is 8 or 13 or 18 or 23;
            if (isDash ? text[at] != '-' : !char.IsAsciiHexDigitLower(text[at]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// 64 hexadecimal digits, with or without a runtime's name in front (<c>docker-</c>, <c>cri-containerd-</c>, <c>crio-</c>, <c>libpod-</c>) and
    /// <c>.scope</c> behind. A monitor (<c>crio-conmon-</c>) is the runtime's own process, not the container.
    /// </summary>
    private static string? ContainerOf(string part)
    {
        var name = part.EndsWith(".scope", StringComparison.Ordinal) ? part[..^6] : part;
        if (name.Length < ContainerDigits || name.Contains("conmon-", StringComparison.Ordinal))
        {
            return null;
        }

        var id = name[^ContainerDigits..];
        var isWhole = name.Length == ContainerDigits || name[^(ContainerDigits + 1)] == '-';
        return isWhole && IsHex(id) ? id : null;
    }

    private static bool IsHex(string text) => text.All(char.IsAsciiHexDigitLower);
}
