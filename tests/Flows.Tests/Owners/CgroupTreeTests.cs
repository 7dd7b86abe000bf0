using Flows.Capture.Owners;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Owners;

/// <summary>Where cgroups are mounted, and ids back to paths, on a tree in a temporary directory.</summary>
public sealed class CgroupTreeTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("flows-cgroup-").FullName;
    private readonly FakeTimeProvider time = new();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void An_id_is_the_inode_of_a_directory_and_an_unknown_one_is_looked_for_at_a_bounded_rate()
    {
        Directory.CreateDirectory($"{root}/system.slice/a.service/sub");
        var reads = 0;
        var tree = new CgroupTree(root, Inode, time);
        var sub = OwnerNative.InodeOf($"{root}/system.slice/a.service/sub");
        Assert.NotEqual(0UL, sub);
        Assert.Equal("/system.slice/a.service/sub", tree.PathOf(sub, out var settled));
        Assert.True(settled);
        Assert.Equal(4, tree.Count);
        Assert.Equal("/", tree.PathOf(CgroupMounts.RootId, out _));

        // A group that is younger than the last look is not found until the next is allowed.
        var before = reads;
        Directory.CreateDirectory($"{root}/system.slice/b.service");
        var young = OwnerNative.InodeOf($"{root}/system.slice/b.service");
        Assert.Null(tree.PathOf(young, out settled));
        Assert.False(settled);
        Assert.Equal(before, reads);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("/system.slice/b.service", tree.PathOf(young, out settled));
        Assert.True(settled);

        // One that is gone keeps its name over one look: rows come after the end.
        Directory.Delete($"{root}/system.slice/b.service");
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(tree.PathOf(ulong.MaxValue, out settled));
        Assert.True(settled);
        Assert.Equal("/system.slice/b.service", tree.PathOf(young, out _));

        ulong Inode(string path)
        {
            // As if it were slow: four groups take more than may be spent at once.
            reads++;
            time.Advance(TimeSpan.FromMilliseconds(60));
            return OwnerNative.InodeOf(path);
        }
    }

    [Fact]
    public void Without_version_2_only_the_root_has_a_path()
    {
        var tree = new CgroupTree("", _ => throw new InvalidOperationException("nothing to look at"), time);
        Assert.Null(tree.PathOf(77, out var settled));
        Assert.True(settled);
    }

    [Theory]
    [InlineData("25 30 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate", "Unified", "/sys/fs/cgroup")]
    [InlineData("25 30 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", "V1", "")]
    [InlineData("25 30 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory|26 30 0:23 / /sys/fs/cgroup/unified rw - cgroup2 none rw", "Hybrid", "/sys/fs/cgroup/unified")]
    [InlineData("25 30 0:22 /pod /sys/fs/cgroup ro - cgroup2 cgroup rw|26 30 0:22 / /host/sys/fs/cgroup ro - cgroup2 cgroup rw", "Unified", "/host/sys/fs/cgroup")]
    [InlineData("26 30 0:22 / /a\\040b ro - cgroup2 cgroup rw", "Unified", "/a b")]
    [InlineData("1 2 3|nonsense - |", "None", "")]
    public void The_mount_that_shows_most_is_taken(string lines, string layout, string mount)
    {
        var mounts = CgroupMounts.Parse(lines.Split('|'), path => path == "/host/sys/fs/cgroup" ? CgroupMounts.RootId : 99UL);
        Assert.Equal((layout, mount), (mounts.Layout.ToString(), mounts.Unified));
    }

    [Fact]
    public void Coverage_names_what_is_missing_and_how_to_get_it()
    {
        var whole = new OwnerProbe { TellsCgroup = true, Layout = CgroupLayout.Unified, CgroupMount = "/sys/fs/cgroup", ShowsCgroupRoot = true };
        Assert.Equal("Full None None", Levels(whole, processes: false));
        Assert.Equal("Full Full None", Levels(whole with { MayTrace = true, SeesAllProcesses = true }, processes: true));
        Assert.Equal("Full Partial None", Levels(whole with { MayTrace = true }, processes: true));
        Assert.Equal("Full Partial None", Levels(whole, processes: true));
        Assert.Equal("Partial None None", Levels(whole with { Layout = CgroupLayout.Hybrid }, processes: false));
        Assert.Equal("Partial None None", Levels(whole with { Layout = CgroupLayout.V1, CgroupMount = "", ShowsCgroupRoot = false }, processes: false));
        Assert.Equal("Partial None None", Levels(whole with { ShowsCgroupRoot = false }, processes: false));
        Assert.Equal("Partial None None", Levels(whole with { TellsCgroup = false }, processes: false));
        Assert.Equal("Partial None None", Levels(whole with { UdpError = 2 }, processes: false));
        Assert.Equal("None None None", Levels(whole with { TcpError = int.MaxValue }, processes: false));

        static string Levels(OwnerProbe probe, bool processes)
        {
            var facts = probe.Coverage(processes, 5);
            Assert.All(facts, fact => Assert.Equal(fact.Level == Core.Facts.CoverageLevel.Full, fact.Detail.Length == 0));
            Assert.Equal(["sockets", "processes", "namespaces"], facts.Select(fact => fact.Aspect));
            return string.Join(' ', facts.Select(fact => fact.Level));
        }
    }
}
