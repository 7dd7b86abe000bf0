namespace Flows.Capture.Doctor.Checks;

/// <summary>Flows of two nodes are merged, and names are looked up, by time.</summary>
internal sealed class ClockCheck() : Check("clock", "kernel")
{
    private const long ErrorMaxUs = 1_000_000;

    public override Finding Look(NodeView node) => node.Clock() switch
    {
        null => Unknown("adjtimex is refused here, so nobody knows whether the clock is right"),
        { Synchronised: false } => Warn(
            "nobody keeps the clock synchronised",
            "an address that changed hands may be given the wrong name, and both ends' reports of one connection may not be merged",
            """
            systemctl enable --now systemd-timesyncd
            apt-get install chrony
            """),
        { ErrorMaxUs: > ErrorMaxUs } clock => Warn(
            $"the clock is synchronised, but may be {clock.ErrorMaxUs / 1e6:0.0} s wrong", "names are looked up that far beside the truth", "chronyc makestep"),
        var clock => Ok($"synchronised, {clock.OffsetUs / 1e3:0.00} ms to correct, at most {clock.ErrorMaxUs / 1e3:0} ms wrong"),
    };
}
