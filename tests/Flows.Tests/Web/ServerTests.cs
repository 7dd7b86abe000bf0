using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flows.Core;
using Flows.Web;
using Xunit;

namespace Flows.Tests.Web;

// One after the other: a meter is seen by every server of the process.
[Collection("web")]
public sealed class ServerTests
{
    private static readonly Version Http2 = new(2, 0);

    [Fact]
    public async Task One_address_speaks_both_protocols()
    {
        await using var server = await WebServer.StartAsync();
        using var page = await server.SendAsync(HttpMethod.Get, "/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal(new Version(1, 1), page.Version);

        // 64 requests at once, so that streams share a connection.
        var answers = await Task.WhenAll(Enumerable.Range(0, 64)
            .Select(_ => server.SendAsync(HttpMethod.Post, "/api/v1/ingest", Http2, new ByteArrayContent(new byte[100_000]))));
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, Http2), (answer.StatusCode, answer.Version)));
    }

    [Fact]
    public async Task A_preface_that_comes_byte_by_byte_is_recognised()
    {
        await using var server = await WebServer.StartAsync();
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, server.Url.Port, TestContext.Current.CancellationToken);
        // The preface and an empty SETTINGS frame (RFC 9113 sections 3.4 and 6.5).
        byte[] hello = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];
        foreach (var one in hello)
        {
            await client.GetStream().WriteAsync(new[] { one }, TestContext.Current.CancellationToken);
        }

        var frame = new byte[9];
        await client.GetStream().ReadExactlyAsync(frame, TestContext.Current.CancellationToken);
        Assert.Equal(4, frame[3]);
    }

    [Fact]
    public async Task A_unix_socket_serves_and_an_abandoned_one_is_replaced()
    {
        var path = Path.Combine(Path.GetTempPath(), $"flows-{Guid.NewGuid():N}.sock");

        // A bound socket that nobody listens on is what a killed server leaves.
        using var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        left.Bind(new UnixDomainSocketEndPoint(path));

        await using (var server = await WebServer.StartAsync(null, $"unix:{path}"))
        {
            using var client = new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            })
            { DefaultRequestVersion = Http2, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var answer = await client.PostAsync(new Uri("http://flows/api/v1/ingest"), new StringContent("batch"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

            var taken = await Assert.ThrowsAsync<FlowsException>(() => WebServer.StartAsync(null, $"unix:{path}"));
            Assert.Equal(ExitCode.Failed, taken.ExitCode);
        }

        Assert.False(Path.Exists(path));
    }

    [Fact]
    public async Task A_taken_port_is_one_sentence()
    {
        await using var server = await WebServer.StartAsync();
        var fault = await Assert.ThrowsAsync<FlowsException>(() => WebServer.StartAsync(null, $"127.0.0.1:{server.Url.Port}"));
        Assert.Equal(ExitCode.Failed, fault.ExitCode);
        Assert.Contains("the address is taken", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Busy_ingest_says_when_to_come_back()
    {
        await using var server = await WebServer.StartAsync();
        using var answer = await server.SendAsync(HttpMethod.Post, "/api/v1/ingest", Http2);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), answer.Headers.RetryAfter?.Delta);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:9", HttpStatusCode.OK)]
    [InlineData("[::1]:9", HttpStatusCode.OK)]
    public async Task A_foreign_host_header_is_refused(string host, HttpStatusCode status)
    {
        await using var server = await WebServer.StartAsync();
        using var answer = await server.SendAsync(HttpMethod.Get, "/", host: host);
        Assert.Equal(status, answer.StatusCode);
    }

    [Theory]
    [InlineData("map?since=10", 400, "since")]
    [InlineData("map?since=2h&until=3h", 400, "not before")]
    [InlineData("map?level=galaxy", 400, "workload")]
    [InlineData("edges?limit=-1", 400, "limit")]
    [InlineData("who?addr=10.1", 400, "not an IP address")]
    [InlineData("who", 400, "addr is missing")]
    [InlineData("query/drop_table", 404, "edges_over_time")]
    [InlineData("nothing", 404, "/api/v1/")]
    public async Task A_wrong_question_gets_one_sentence(string path, int status, string says)
    {
        await using var server = await WebServer.StartAsync();
        await server.RefusesAsync($"/api/v1/{path}", status, says);
    }

    [Fact]
    public async Task Lists_are_cut_at_the_limit_and_say_how_many_there_are()
    {
        await using var server = await WebServer.StartAsync();
        using var edges = JsonDocument.Parse(await server.GetAsync("/api/v1/edges?limit=3"));
        Assert.Equal(3, edges.RootElement.GetProperty("edges").GetArrayLength());
        Assert.Equal(ShopFleet.Edges.Count, edges.RootElement.GetProperty("total").GetInt32());

        using var map = JsonDocument.Parse(await server.GetAsync("/api/v1/map?limit=3"));
        Assert.Equal(3, map.RootElement.GetProperty("links").GetArrayLength());
        Assert.True(map.RootElement.GetProperty("hidden").GetProperty("links").GetInt32() > 0);
    }

    [Fact]
    public async Task The_map_names_groups_and_dialled_services()
    {
        await using var server = await WebServer.StartAsync();
        using var map = JsonDocument.Parse(await server.GetAsync("/api/v1/map"));
        var groups = map.RootElement.GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("label").GetString()).ToArray();
        Assert.Equal(["one of several", "machines", "data", "dev", "kube-system", "shop", "outside", "nobody known"], groups);
        var services = map.RootElement.GetProperty("links").EnumerateArray().SelectMany(link => link.GetProperty("services").EnumerateArray()).Select(text => text.GetString());
        Assert.Contains("data/db:5432", services);
        Assert.DoesNotContain('<', await server.GetAsync("/api/v1/map"));
    }

    [Fact]
    public async Task Metrics_have_the_names_that_dashboards_use()
    {
        await using var server = await WebServer.StartAsync();
        await server.SendAsync(HttpMethod.Post, "/api/v1/ingest", Http2, new StringContent("batch"));
        var scrape = await server.GetAsync("/metrics");
        Assert.All(Flows.Web.Metrics.FlowMetrics.PrometheusNames, name => Assert.Matches($"(?m)^{name}[ {{]", scrape));
        Assert.Matches("""(?m)^flows_hop_dropped_total\{.*hop="conntrack".*reason="socket_overrun".*unit="events".*\} 7""", scrape);
        Assert.Matches("""(?m)^flows_coverage\{.*aspect="accounting".*source="conntrack".*\} 0\.5""", scrape);
    }

    [Fact]
    public async Task Every_answer_carries_the_security_headers()
    {
        await using var server = await WebServer.StartAsync();
        foreach (var path in (string[])["/", "/main.js", "/lib/cytoscape.min.js", "/api/v1/health", "/metrics", "/nothing"])
        {
            using var answer = await server.SendAsync(HttpMethod.Get, path);
            Assert.Contains("default-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Browser_libraries_come_with_their_licences()
    {
        await using var server = await WebServer.StartAsync();
        foreach (var library in (string[])["cytoscape", "cytoscape-fcose", "cose-base", "layout-base"])
        {
            Assert.Contains("Permission is hereby granted", await server.GetAsync($"/lib/{library}.LICENSE.txt"), StringComparison.Ordinal);
        }
    }
}
