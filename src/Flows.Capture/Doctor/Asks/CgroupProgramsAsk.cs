namespace Flows.Capture.Doctor.Asks;

/// <summary>BPF_PROG_QUERY of bpf(2): how many programs are attached to a cgroup.</summary>
internal static unsafe class CgroupProgramsAsk
{
    private const int ProgramQuery = 16;

    // union bpf_attr, the part of BPF_PROG_QUERY: u32 target, attach type, query flags, attach flags; u64 ids; u32 count; more since 6.6, zero.
    private const int AttributeBytes = 64;
    private const int CountAt = 24;

    /// <param name="cgroup">Path of the cgroup's directory.</param>
    /// <param name="attachType">enum bpf_attach_type.</param>
    public static int? Count(string cgroup, int attachType)
    {
        var fd = DoctorNative.Open(cgroup, DoctorNative.OpenDirectory | DoctorNative.OpenCloexec);
        if (fd < 0)
        {
            return null;
        }

        try
        {
            var attribute = stackalloc byte[AttributeBytes];
            new Span<byte>(attribute, AttributeBytes).Clear();
            ((int*)attribute)[0] = fd;
            ((int*)attribute)[1] = attachType;
            return DoctorNative.Call(DoctorNative.BpfCall, ProgramQuery, attribute, AttributeBytes) == 0 ? *(int*)(attribute + CountAt) : null;
        }
        finally
        {
            _ = DoctorNative.Close(fd);
        }
    }
}
