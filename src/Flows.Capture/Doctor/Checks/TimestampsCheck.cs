namespace Flows.Capture.Doctor.Checks;

internal sealed class TimestampsCheck() : SettingCheck("conntrack_timestamps", "nf_conntrack_timestamp")
{
    protected override Finding Judge(long value) =>
        Warn($"{Name} is off", "not seen: when connections found at the start of the collector began; a restart gives them new ids", Mend);
}
