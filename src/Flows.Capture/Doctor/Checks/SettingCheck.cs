namespace Flows.Capture.Doctor.Checks;

/// <summary>A switch of connection tracking that should be 1. Subclasses say what each other value hides.</summary>
/// <param name="id">The check's id.</param>
/// <param name="setting">Its name below net.netfilter.</param>
internal abstract class SettingCheck(string id, string setting) : Check(id, "conntrack")
{
    private const int Wanted = 1;

    /// <summary>The commands that mend it: the collector can do so itself.</summary>
    protected string Mend => $"""
        {Wording.Sysctl($"net.netfilter.{setting}", Wanted)}
        flows collect --manage-sysctl ...
        """;

    protected string Name => $"net.netfilter.{setting}";

    public override Finding Look(NodeView node) => node.Files.Number($"proc/sys/net/netfilter/{setting}") switch
    {
        null => Unknown($"{Name} cannot be read here"),
        Wanted => Ok($"{Name} is on"),
        var value => Judge(value.Value),
    };

    protected abstract Finding Judge(long value);
}
