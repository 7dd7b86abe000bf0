using Flows.Capture.Owners;
using Xunit;

namespace Flows.Tests.Owners;

/// <summary>Paths as systemd, the kubelet and the runtimes write them.</summary>
public sealed class CgroupPathTests
{
    private const string Id = "3f4e5d6c7b8a99887766554433221100ffeeddccbbaa00112233445566778899";
    private const string OuterId = "aa4e5d6c7b8a99887766554433221100ffeeddccbbaa00112233445566778899";
    private const string Uid = "1a2b3c4d-5e6f-4a1b-8c2d-0123456789ab";
    private const string UidInSlice = "1a2b3c4d_5e6f_4a1b_8c2d_0123456789ab";
    private const string Static = "0123456789abcdef0123456789abcdef";

    [Theory]

    // Kubernetes, driver systemd: guaranteed, burstable, best effort; containerd, CRI-O, Docker.
    [InlineData($"/kubepods.slice/kubepods-pod{UidInSlice}.slice/cri-containerd-{Id}.scope", "pod", Uid, "", Id)]
    [InlineData($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UidInSlice}.slice/crio-{Id}.scope", "pod", Uid, "", Id)]
    [InlineData($"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UidInSlice}.slice/docker-{Id}.scope", "pod", Uid, "", Id)]
    [InlineData($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UidInSlice}.slice", "pod", Uid, "", "")]
    [InlineData($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{Static}.slice/cri-containerd-{Id}.scope", "pod", Static, "", Id)]

    // Driver cgroupfs, and runc given systemd's notation under it.
    [InlineData($"/kubepods/pod{Uid}/{Id}", "pod", Uid, "", Id)]
    [InlineData($"/kubepods/burstable/pod{Uid}/{Id}", "pod", Uid, "", Id)]
    [InlineData($"/kubepods/besteffort/pod{Uid}/crio-{Id}", "pod", Uid, "", Id)]
    [InlineData($"/kubepods/burstable/pod{Static}/{Id}", "pod", Static, "", Id)]
    [InlineData($"/system.slice/containerd.service/kubepods-burstable-pod{UidInSlice}.slice:cri-containerd:{Id}", "pod", Uid, "", Id)]

    // Kubernetes in Docker, both drivers: the inner pod counts, not the node's container.
    [InlineData(
        $"/docker/{OuterId}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{UidInSlice}.slice/cri-containerd-{Id}.scope",
        "pod", Uid, "", Id)]
    [InlineData($"/system.slice/docker-{OuterId}.scope/kubelet/kubepods/burstable/pod{Uid}/{Id}", "pod", Uid, "", Id)]
    [InlineData($"/docker/{OuterId}/system.slice/kubelet.service", "container", OuterId, "kubelet.service", OuterId)]

    // A systemd of the pod's own.
    [InlineData($"/kubepods/pod{Uid}/{Id}/system.slice/nginx.service", "pod", Uid, "nginx.service", Id)]

    // Containers without Kubernetes.
    [InlineData($"/system.slice/docker-{Id}.scope", "container", Id, "", Id)]
    [InlineData($"/docker/{Id}", "container", Id, "", Id)]
    [InlineData($"/docker/{Id}/init", "container", Id, "", Id)]
    [InlineData($"/docker/{OuterId}/docker/{Id}", "container", Id, "", Id)]
    [InlineData($"/machine.slice/libpod-{Id}.scope/container", "container", Id, "", Id)]
    [InlineData($"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{Id}.scope", "container", Id, "", Id)]
    [InlineData($"/system.slice/nerdctl-{Id}.scope", "container", Id, "", Id)]
    [InlineData($"/system.slice:docker:{Id}", "container", Id, "", Id)]
    [InlineData($"/ecs/task-7/{Id}", "container", Id, "", Id)]
    [InlineData($"/actions_job/{Id}", "container", Id, "", Id)]

    // A monitor is the runtime's process.
    [InlineData($"/machine.slice/libpod-conmon-{Id}.scope", "unit", $"libpod-conmon-{Id}.scope", $"libpod-conmon-{Id}.scope", "")]

    // Units: plain, template, slices, delegated below the unit, escapes, systemd itself, escaped name of a group.
    [InlineData("/system.slice/cron.service", "unit", "cron.service", "cron.service", "")]
    [InlineData("/system.slice/system-getty.slice/getty@tty1.service", "unit", "getty@tty1.service", "getty@tty1.service", "")]
    [InlineData("/system.slice/system-postgresql.slice/postgresql@15-main.service", "unit", "postgresql@15-main.service", "postgresql@15-main.service", "")]
    [InlineData("/system.slice/foo.service/workers/3", "unit", "foo.service", "foo.service", "")]
    [InlineData("/system.slice/docker.service", "unit", "docker.service", "docker.service", "")]
    [InlineData("/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/emulator", "unit", "machine-qemu-3-web.scope", "machine-qemu\\x2d3\\x2dweb.scope", "")]
    [InlineData("/machine.slice/systemd-nspawn@db.service/payload", "unit", "systemd-nspawn@db.service", "systemd-nspawn@db.service", "")]
    [InlineData("/init.scope", "unit", "init.scope", "init.scope", "")]
    [InlineData("/system.slice/_cgroup.service", "unit", "cgroup.service", "cgroup.service", "")]
    [InlineData("/system.slice/run-u12.service", "unit", "run-u12.service", "run-u12.service", "")]

    // People.
    [InlineData("/user.slice/user-1000.slice/session-3.scope", "session", "user 1000 session-3.scope", "session-3.scope", "")]
    [InlineData("/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service", "unit", "user@1000.service/syncthing.service", "syncthing.service", "")]
    [InlineData("/user.slice/user-1000.slice/user@1000.service/init.scope", "unit", "user@1000.service/init.scope", "init.scope", "")]
    [InlineData("/user.slice/user-1000.slice/user@1000.service", "unit", "user@1000.service", "user@1000.service", "")]

    // Groups that nobody named by a convention that we know.
    [InlineData("/lxc.payload.web", "cgroup", "/lxc.payload.web", "", "")]
    [InlineData("/system.slice", "cgroup", "/system.slice", "", "")]
    [InlineData("/docker/short", "cgroup", "/docker/short", "", "")]
    [InlineData("/kubepods/burstable", "cgroup", "/kubepods/burstable", "", "")]
    [InlineData($"/pod{Uid}", "cgroup", $"/pod{Uid}", "", "")]
    [InlineData("/kubepods/podXYZ", "cgroup", "/kubepods/podXYZ", "", "")]
    [InlineData("/", "", "", "", "")]
    [InlineData("", "", "", "", "")]
    public void A_path_tells_its_owner(string path, string kind, string name, string unit, string container)
    {
        var told = CgroupPath.Parse(path);
        Assert.Equal((kind, name, unit, container), (told.Kind, told.Name, told.Unit, told.ContainerId));
        Assert.Equal(kind == "pod" ? name : "", told.PodUid);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\\x2db", "a-b")]
    [InlineData("caf\\xc3\\xa9", "café")]
    [InlineData("broken\\x2", "broken\\x2")]
    [InlineData("broken\\xzz", "broken\\xzz")]
    [InlineData("\\", "\\")]
    public void Escapes_of_systemd_are_undone(string escaped, string plain) => Assert.Equal(plain, CgroupPath.Unescape(escaped));

    [Fact]
    public void Any_text_is_read_without_an_exception()
    {
        var random = new Random(4711);
        string[] parts = ["/", "pod", "kubepods", ".slice", "-pod", Uid, Id, ":", "\\x", ".scope", "user-", "..", "_", "@", "é", "\ud83d", "session-1.scope"];
        for (var run = 0; run < 20_000; run++)
        {
            var path = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => parts[random.Next(parts.Length)]));
            Assert.NotNull(CgroupPath.Parse(path).Name);
        }

        Assert.Same(CgroupPath.Root, CgroupPath.Parse(new string('/', 5000) + "x.service"));
    }

    [Fact]
    public void Of_several_hierarchies_the_one_that_says_most_is_taken()
    {
        Assert.Equal($"/docker/{Id}", ProcFiles.MostTelling(["12:pids:/user.slice", $"4:memory:/docker/{Id}", "1:name=systemd:/system.slice/docker.service", "0::/"]));
        Assert.Equal("/system.slice/cron.service", ProcFiles.MostTelling(["0::/system.slice/cron.service"]));
        Assert.Equal("/", ProcFiles.MostTelling(["0::/", "nonsense", "3:cpu:/"]));
        Assert.Equal(4711u, ProcFiles.InodeOf("socket:[4711]"));
        Assert.Null(ProcFiles.InodeOf("socket:[x]"));
        Assert.Null(ProcFiles.InodeOf("/dev/null"));
    }
}
