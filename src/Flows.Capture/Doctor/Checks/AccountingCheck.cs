namespace Flows.Capture.Doctor.Checks;

internal sealed class AccountingCheck() : SettingCheck("conntrack_accounting", "nf_conntrack_acct")
{
    protected override Finding Judge(long value) =>
        Warn($"{Name} is off", "not seen: packets and bytes of connections that conntrack reports; entries made before it is on stay without", Mend);
}
