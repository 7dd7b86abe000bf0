namespace Flows.Capture.Doctor.Checks;

/// <summary>Capabilities count in the user namespace that owns a thing: some need the first one.</summary>
internal sealed class UserNamespaceCheck() : Check("user_namespace", "rights")
{
    // PROC_USER_INIT_INO of linux/proc_fs.h: the number of the first user namespace never changes.
    private const string First = "user:[4026531837]";

    public override Finding Look(NodeView node) => node.Files.Link("proc/self/ns/user") switch
    {
        null => Unknown("/proc/self/ns/user cannot be read"),
        First => Ok("the first user namespace: capabilities count for the whole node"),
        _ => Warn(
            "a user namespace of its own: its capabilities count only for what that namespace owns",
            "receive buffers cannot pass net.core.rmem_max, and neither the node's connections nor its interfaces are reached",
            """
            PrivateUsers=no in the unit
            hostUsers: true in the pod
            """),
    };
}
