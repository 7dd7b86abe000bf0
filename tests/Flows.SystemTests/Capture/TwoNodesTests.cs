using System.Text.Json;
using Flows.Core.Facts;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>Two nodes with a bridge, a pod's veth and a VXLAN tunnel each; one pod calls the other, and both nodes capture on all their interfaces.</summary>
public sealed class TwoNodesTests(ITestOutputHelper output) : IDisposable
{
    private readonly List<LiveNetns> spaces = [];

    [Fact]
    public async Task Each_node_counts_a_connection_once_and_its_bytes_are_iperf3s()
    {
        Require.RootAnd("ip", "iperf3");
        var (nodeA, nodeB) = (Add("a"), Add("b"));
        nodeA.Connect(nodeB, "up0", "up0", "10.1.0.1/24", "10.1.0.2/24");
        var podA = AddPod(nodeA, peer: "10.1.0.2", "10.1.0.1", "10.244.0.1/24");
        var podB = AddPod(nodeB, peer: "10.1.0.1", "10.1.0.2", "10.244.0.2/24");
        string[] interfaces = ["veth*", "br*", "vx*", "up0"];
        await using var watchA = await Watch.StartAsync(nodeA, interfaces);
        await using var watchB = await Watch.StartAsync(nodeB, interfaces);

        using var server = podB.Start("iperf3 -s -1");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        var mib = LiveNetns.IsLong ? 4096 : 256;

        // At a rate below the link's, what iperf3 wrote is what went out before it ended.
        using var result = JsonDocument.Parse(podA.Run($"iperf3 -c 10.244.0.2 -n {mib}M -b 1G -J"));
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        await Task.Delay(600, TestContext.Current.CancellationToken);
        output.WriteLine($"{Watch.Cpu().TotalMicroseconds / (watchA.Account.Report().Seen + watchB.Account.Report().Seen):F1} µs of CPU time a packet");
        await watchA.StopAsync();
        await watchB.StopAsync();

        var truth = result.RootElement.GetProperty("end").GetProperty("sum_sent").GetProperty("bytes").GetInt64();
        var payloads = new List<double>();
        foreach (var watch in new[] { watchA, watchB })
        {
            var report = watch.Account.Report();
            Assert.True(report.Holds);
            Assert.False(report.Dropped.ContainsKey("pcap_kernel"), "the rings were full");

            // The control connection and the data connection.
            var connections = watch.Rows.Where(row => row.DstPort == 5201 && row.Protocol == IpProtocol.Tcp).GroupBy(row => row.ConnId).ToList();
            Assert.Equal(2, connections.Count);
            Assert.All(connections, rows => Assert.Equal((DirectionBy.Syn, "10.244.0.1"), (rows.First().DirectionBy, rows.First().Src.ToString())));
            var data = connections.MaxBy(rows => rows.Sum(row => (long)row.FwdBytes!.Value))!;

            // IP and TCP with timestamps take 52 bytes of each packet that was seen, the SYN 60.
            var (bytes, packets) = (data.Sum(row => (double)row.FwdBytes!.Value), data.Sum(row => (double)row.FwdPackets!.Value));
            payloads.Add(bytes - (52 * packets) - 8);
            output.WriteLine($"{report.Seen} packets seen, {report.Dropped["seen_elsewhere"]} of them elsewhere; {packets} of {bytes / packets:F0} bytes are the connection: payload {payloads[^1]:F0} of {truth}");
            foreach (var device in new[] { "veth0", "br0", "vx0", "up0" })
            {
                Assert.True(watch.FramesOf(device) > 100, $"only {watch.FramesOf(device)} frames on {device}");
            }
        }

        Assert.All(payloads, payload => Assert.InRange(payload / truth, 0.99, 1.01));
        Assert.InRange(payloads[0] / payloads[1], 0.999, 1.001);
    }

    public void Dispose() => spaces.ForEach(space => space.Dispose());

    private LiveNetns Add(string role)
    {
        var space = new LiveNetns(role);
        spaces.Add(space);
        return space;
    }

    private LiveNetns AddPod(LiveNetns node, string peer, string own, string address)
    {
        node.Ip("link add br0 type bridge");
        node.Ip($"link add vx0 type vxlan id 42 remote {peer} local {own} dev up0 dstport 4789");
        node.Ip("link set vx0 master br0 up");
        node.Ip("link set br0 up");
        var pod = Add("p");
        node.Connect(pod, "veth0", "eth0", null, address);
        node.Ip("link set veth0 master br0");
        pod.Ip("link set eth0 mtu 1450");
        return pod;
    }
}
