namespace Flows.Capture.Doctor.Checks;

internal sealed class EventsCheck() : SettingCheck("conntrack_events", "nf_conntrack_events")
{
    protected override Finding Judge(long value) => value == 0
        ? Fail($"{Name} is 0: the kernel tells nothing", "not seen: refused and short connections, and the end of all others", Mend)
        : Warn($"{Name} is {value}: only connections that began while somebody listened are told about", "not seen: the end of connections that are older than the collector", Mend);
}
