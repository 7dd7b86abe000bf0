using Flows.Capture.Rights;
using Xunit;

namespace Flows.Tests.Rights;

/// <summary>What a thread may do, and whether that is little enough.</summary>
public sealed class ThreadRightsTests
{
    private const Capabilities Two = Capabilities.NetAdmin | Capabilities.NetRaw;

    private const string Status = "Name:\tflows\nUid:\t0\t65534\t0\t0\nCapInh:\t0000000000000000\nCapPrm:\t0000000000003000\nCapEff:\t0000000000002000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n";

    [Fact]
    public void Status_of_a_thread_is_read()
    {
        var rights = ThreadRights.Parse(Status)!;
        Assert.Equal((65534U, Capabilities.NetRaw, Two, true), (rights.Uid, rights.Effective, rights.Permitted, rights.NoNewPrivileges));
        Assert.Equal((Capabilities.None, (Capabilities)0x1ffffffffff), (rights.Ambient, rights.Bounding));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Uid:\t0\t0\t0\t0\n")]
    [InlineData("CapEff:\tzz\nCapPrm:\t0\nCapInh:\t0\nCapBnd:\t0\nUid:\t0\t0\t0\t0\n")]
    [InlineData(":\n:::\nUid\n")]
    public void What_is_no_status_is_none(string text) => Assert.Null(ThreadRights.Parse(text));

    [Fact]
    public void Anything_beyond_what_is_kept_is_too_much()
    {
        var least = new ThreadRights(65534, Two, Two, Two, Two, Two, true);
        Assert.True(least.IsWithin(Two));
        Assert.True((least with { Effective = Capabilities.None, Permitted = Capabilities.None }).IsWithin(Two));
        Assert.False((least with { NoNewPrivileges = false }).IsWithin(Two));
        Assert.False((least with { Permitted = Two | Capabilities.SysAdmin }).IsWithin(Two));
        Assert.False((least with { Inheritable = Two | Capabilities.SysAdmin }).IsWithin(Two));
        Assert.False((least with { Ambient = Two | Capabilities.SysPtrace }).IsWithin(Two));
        Assert.True((least with { Permitted = Two | Capabilities.SysPtrace }).IsWithin(Two | Capabilities.SysPtrace));
    }

    [Fact]
    public void The_bounding_set_counts_where_it_can_be_made_smaller()
    {
        var most = new ThreadRights(0, Two, Two, Two, (Capabilities)0x1ffffffffff, Capabilities.None, true);
        Assert.True(most.IsWithin(Two));
        const Capabilities Three = Two | Capabilities.SetPcap;
        Assert.False((most with { Effective = Three, Permitted = Three }).IsWithin(Three));
    }

    [Theory]
    [InlineData(0UL, "none")]
    [InlineData(0x3000UL, "CAP_NET_ADMIN, CAP_NET_RAW")]
    [InlineData(0x1ffffffffffUL, "41 capabilities")]
    [InlineData(1UL << 63, "CAP_63")]
    public void Sets_are_named_as_people_name_them(ulong set, string text) => Assert.Equal(text, CapabilityNames.Of((Capabilities)set));

    [Theory]
    [InlineData(Two)]
    [InlineData(Two | Capabilities.SysAdmin, "pods-1")]
    [InlineData(Two | Capabilities.SysAdmin | Capabilities.SysPtrace, "pods-1", "/proc/1234/ns/net")]
    public void Only_what_was_asked_for_widens_what_is_kept(Capabilities expected, params string[] namespaces) =>
        Assert.Equal(expected, CollectorRights.Of(new SourceOptions { Node = "n", Scope = "s", Namespaces = namespaces }));

    [Theory]
    [InlineData(Capabilities.None, "127.0.0.1:4739", "unix:/run/flows/flows.sock", "[::1]:8080", "127.0.0.1:0")]
    [InlineData(Capabilities.NetBindService, "127.0.0.1:4739", "[::]:443")]
    public void Low_ports_need_a_right_of_their_own(Capabilities expected, params string[] addresses) => Assert.Equal(expected, CollectorRights.ToListen(addresses));
}
