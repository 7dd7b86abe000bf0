using System.Globalization;

namespace Flows.Capture.Doctor.Checks;

/// <summary>What the table has refused or thrown out since the namespace was made: /proc/net/stat/nf_conntrack, a line for each CPU, hexadecimal.</summary>
internal sealed class TableLossesCheck() : Check("conntrack_losses", "conntrack")
{
    public override Finding Look(NodeView node)
    {
        var lines = node.Files.Lines("proc/self/net/stat/nf_conntrack");
        var names = lines.Count == 0 ? [] : Fields(lines[0]);
        if (!names.Contains("early_drop"))
        {
            return Unknown("/proc/net/stat/nf_conntrack cannot be read");
        }

        var (drop, early, failed) = (Sum("drop"), Sum("early_drop"), Sum("insert_failed"));
        var found = $"drop {drop:N0}, early_drop {early:N0}, insert_failed {failed:N0} since this network namespace was made";
        if (drop + early + failed == 0)
        {
            return Ok(found);
        }

        var hides = drop > 0 ? "not seen: connections whose first packet was dropped because the table was full"
            : early > 0 ? "idle connections were thrown out to make room: they are reported as ended, and begin anew with their next packet"
            : "packets were dropped that raced for one entry, such as two DNS questions from one port; their connection is seen";
        var max = node.Files.Number(ConntrackCheck.Setting) ?? 0;
        return drop + early > 0 ? Warn(found, hides, Wording.Sysctl("net.netfilter.nf_conntrack_max", Math.Max(max, 1) * 2)) : Ok(found, hides);

        long Sum(string name)
        {
            var at = Array.IndexOf(names, name);
            return lines.Skip(1).Select(Fields).Where(fields => at < fields.Length)
                .Sum(fields => long.TryParse(fields[at], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : 0);
        }
    }

    private static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
