using System.Net;
using System.Net.Sockets;
using Apache.Arrow;
using Flows.Core.Facts;
using Flows.SystemTests.Conntrack;
using Xunit;

namespace Flows.SystemTests.Capture;

public sealed class ConntrackOwnsTests
{
    [Fact]
    public async Task Packets_cover_only_what_conntrack_does_not_see()
    {
        ConntrackNetns.Require();
        using var netns = new ConntrackNetns();
        netns.ToolInServer("nft add table ip raw0");
        netns.ToolInServer("nft add chain ip raw0 pre { type filter hook prerouting priority -300 ; }");
        netns.ToolInServer("nft add rule ip raw0 pre udp dport 7777 notrack");
        await using var collection = new Collection(new SourceOptions { Node = "n", Scope = "s", Conntrack = true, Interfaces = ["ct0"] }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var run = netns.InServer(() => collection.RunAsync(stop.Token));
        await collection.Started;

        // A service's address: the packets show the client calling the service, and conntrack knows who answers.
        using var listener = netns.InServer(() => new TcpListener(IPAddress.Parse("10.77.0.2"), 8080));
        listener.Start();
        using (var caller = netns.InClient(() => new TcpClient(AddressFamily.InterNetwork)))
        {
            caller.Connect("10.96.0.10", 80);
            using var answerer = listener.AcceptTcpClient();
            caller.GetStream().Write(new byte[1000]);
            answerer.GetStream().ReadExactly(new byte[1000]);
        }

        using (var untracked = netns.InClient(() => new UdpClient(AddressFamily.InterNetwork)))
        {
            untracked.Send(new byte[100], "10.77.0.2", 7777);
            untracked.Send(new byte[100], "10.77.0.2", 7778);
        }

        await Task.Delay(1000, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        var rows = new List<(byte Source, ushort Port)>();
        while (collection.Batches.TryRead(out var batch))
        {
            using (batch)
            {
                var (sources, ports) = ((UInt8Array)batch.Column("source"), (UInt16Array)batch.Column("dst_port"));
                rows.AddRange(Enumerable.Range(0, batch.Length).Select(row => (sources.GetValue(row)!.Value, ports.GetValue(row)!.Value)));
            }
        }

        Assert.All(rows.Where(row => row.Port is 80 or 8080 or 7778), row => Assert.Equal((byte)FlowSource.Conntrack, row.Source));
        Assert.Equal([(byte)FlowSource.Packets], rows.Where(row => row.Port == 7777).Select(row => row.Source));
        Assert.Contains(rows, row => row.Port == 80);
        Assert.Contains(rows, row => row.Port == 7778);
        var hop = collection.Accounts.Single(account => account.Hop == "packet_rows").Report();
        Assert.True(hop.Holds && hop.Dropped["conntrack_owns"] >= 2, $"{hop}");
        Assert.All(collection.Accounts, account => Assert.True(account.Report().Holds || account.Hop == "rows", $"{account.Report()}"));
    }
}
