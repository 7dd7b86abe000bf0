using System.Text.Json;
using Flows.Web;
using Xunit;

namespace Flows.Tests.Web;

/// <summary>The real server on a free port of loopback, and a client for it.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly FlowsWeb web;

    private WebServer(FlowsWeb web) => (this.web, Url) = (web, new Uri(web.Addresses[0]));

    public Uri Url { get; }

    public HttpClient Client { get; } = new();

    public static async Task<WebServer> StartAsync(WebParts? parts = null, params string[] listen)
    {
        var web = FlowsWeb.Create(new WebOptions { Listen = ["127.0.0.1:0", .. listen] }, parts ?? ShopFleet.Parts());
        try
        {
            await web.StartAsync(TestContext.Current.CancellationToken);
            return new WebServer(web);
        }
        catch
        {
            await web.DisposeAsync();
            throw;
        }
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Version? version = null, HttpContent? content = null, string? host = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Url, path))
        {
            Version = version ?? new Version(1, 1),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.Host = host;
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<string> GetAsync(string path) =>
        await (await SendAsync(HttpMethod.Get, path)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    /// <summary>Asks what cannot be answered, and checks that a problem (RFC 9457) comes back with this status and with a sentence that says this.</summary>
    public async Task RefusesAsync(string path, int status, string says)
    {
        using var answer = await SendAsync(HttpMethod.Get, path);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains(says, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await web.DisposeAsync();
    }
}
