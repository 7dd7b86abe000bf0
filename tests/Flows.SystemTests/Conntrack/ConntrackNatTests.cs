using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>Row 35 of the fault matrix: whoever is translated, one row tells the true client, the service asked for and the true server.</summary>
public sealed class ConntrackNatTests
{
    [Fact]
    public async Task Every_translation_keeps_client_service_and_server_on_one_row()
    {
        ConntrackNetns.Require();
        using var lab = new NatLab();
        using var inPod = lab.InPod(() => NatLab.Listen(8080));
        using var onNode = lab.InNode(() => NatLab.Listen(9090));
        using var outside = lab.InClient(() => NatLab.Listen(7070));
        using var run = await ConntrackRun.StartAsync(act => lab.InNode(act), new ConntrackSourceOptions());
        var expected = new List<string>();
        foreach (var (v4, client, node, pod, inside, service) in new[]
        {
            (true, "10.77.0.1", "10.77.0.2", "10.88.0.2", "10.88.0.1", "10.96.0.10"),
            (false, "fd77::1", "fd77::2", "fd88::2", "fd88::1", "fd96::10"),
        })
        {
            // ClusterIP, NodePort with masquerade, NodePort with local external policy.
            Say(lab.InClient(() => Connect(service, 80)), inPod);
            expected.Add($"{client} > {service}:80 is {pod}:8080 from -");
            Say(lab.InClient(() => Connect(node, 30080)), inPod);
            expected.Add($"{client} > {node}:30080 is {pod}:8080 from {inside}");
            Say(lab.InClient(() => Connect(node, 30081)), inPod);
            expected.Add($"{client} > {node}:30081 is {pod}:8080 from -");

            // Hairpin, DNAT to the node itself, egress behind the node's address.
            Say(lab.InPod(() => Connect(service, 80)), inPod);
            expected.Add($"{pod} > {service}:80 is {pod}:8080 from {inside}");
            Say(lab.InClient(() => Connect(node, 30090)), onNode);
            expected.Add($"{client} > {node}:30090 is {node}:9090 from -");
            Say(lab.InPod(() => Connect(client, 7070)), outside);
            expected.Add($"{pod} > {client}:7070 is -:- from {node}");
            Assert.True(v4 || expected.Count == 12);
        }

        var rows = (await run.StopAsync()).Where(row => row.Protocol == IpProtocol.Tcp).ToList();
        Assert.Equal(expected.Order(), rows.Select(Text).Order());
        Assert.All(rows, row => Assert.Equal((DirectionBy.CtNew, FlowState.Closed, EndReason.End), (row.DirectionBy, row.State, row.EndReason)));
        Assert.All(rows, row => Assert.True(row.FwdBytes >= 300 && row.RevBytes >= 200, $"{row.FwdBytes} and {row.RevBytes} bytes"));
    }

    private static string Text(FlowRow row) =>
        $"{row.Src} > {row.Dst}:{row.DstPort} is {row.NatDst?.ToString() ?? "-"}:{(row.NatDstPort is { } port ? $"{port}" : "-")} from {row.NatSrc?.ToString() ?? "-"}";

    private static void Say(System.Net.Sockets.Socket socket, System.Net.Sockets.Socket listener)
    {
        using (socket)
        {
            using var peer = listener.Accept();
            Send(socket, peer, 300);
            Send(peer, socket, 200);
            socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            peer.Receive(new byte[1]);
            peer.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            socket.Receive(new byte[1]);
        }
    }
}
