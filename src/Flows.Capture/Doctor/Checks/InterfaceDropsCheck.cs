using System.Globalization;

namespace Flows.Capture.Doctor.Checks;

/// <summary>What was lost before any socket could see it.</summary>
internal sealed class InterfaceDropsCheck() : Check("interface_drops", "interfaces")
{
    // A stray multicast counts as dropped, too: a few in a hundred thousand say nothing.
    private const long DroppedMin = 100;
    private const long PerMilleMin = 1;

    public override Finding Look(NodeView node)
    {
        var chosen = node.ChosenInterfaces;
        if (chosen.Count == 0)
        {
            return node.InterfacePatterns.Count > 0
                ? Fail($"no interface is called {Wording.List(node.InterfacePatterns)}", "not seen: packets of it", "ip -brief link")
                : Unknown("there is no interface but loopback in this network namespace");
        }

        var bad = chosen.Where(one => one.RxDropped >= DroppedMin && one.RxDropped * 1000 >= PerMilleMin * (one.RxPackets + one.RxDropped)).ToList();
        var softnet = node.Files.Lines("proc/self/net/softnet_stat").Select(line => line.Split(' ')).Where(fields => fields.Length > 1)
            .Sum(fields => long.TryParse(fields[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var dropped) ? dropped : 0);
        if (bad.Count > 0)
        {
            var figures = bad.Select(one => $"{one.Name} {one.RxDropped:N0} of {one.RxPackets + one.RxDropped:N0}").ToList();
            return Warn($"received and dropped: {Wording.List(figures)}", "not seen: the dropped packets", $"ethtool -G {bad[0].Name} rx 4096");
        }

        return softnet > 0
            ? Warn(
                $"{softnet:N0} packets found the queue between driver and stack full",
                "not seen: those packets",
                Wording.Sysctl("net.core.netdev_max_backlog", 8192))
            : Ok($"{Wording.List([.. chosen.Select(one => one.Name)])}: nothing dropped that matters");
    }
}
