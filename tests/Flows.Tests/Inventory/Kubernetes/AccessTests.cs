using System.Text;
using Flows.Core;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes;
using Flows.Inventory.Kubernetes.Connecting;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

/// <summary>The ways to prove who one is, each against a server that asks for it.</summary>
public sealed class AccessTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flows-access-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Program_that_hands_out_tokens_is_asked_without_a_terminal()
    {
        await using var server = await FakeApiServer.StartAsync(token: "from-the-program");
        var program = Path.Combine(directory, "credentials");
        await File.WriteAllTextAsync(program, """
            #!/bin/sh
            case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 1 ;; esac
            echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"$1-$SUFFIX\"}}"
            """, TestContext.Current.CancellationToken);
        await Assert_syncs(server, $"{{ exec: {{ apiVersion: client.authentication.k8s.io/v1, command: sh, args: [{program}, from], env: [{{ name: SUFFIX, value: the-program }}] }} }}");
    }

    [Fact]
    public async Task Program_that_fails_is_told_with_what_it_said()
    {
        await using var server = await FakeApiServer.StartAsync(token: "secret");
        await using var watched = await WatchedWith(server, "{ exec: { apiVersion: v1, command: sh, args: [-c, 'echo log in first >&2; exit 3'] } }");
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.LastError.Contains("log in first", StringComparison.Ordinal)), "what the program said");
    }

    [Fact]
    public async Task Token_file_is_read_anew_for_every_request()
    {
        await using var server = await FakeApiServer.StartAsync(token: "second");
        var file = Path.Combine(directory, "token");
        await File.WriteAllTextAsync(file, "first", TestContext.Current.CancellationToken);
        await using var watched = await WatchedWith(server, $"{{ tokenFile: {file} }}");
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.Errors.ContainsKey("http_401")), "the first is refused");
        await File.WriteAllTextAsync(file, "second\n", TestContext.Current.CancellationToken);
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.Synced), "the second is taken");
    }

    [Fact]
    public async Task Client_certificate_is_shown()
    {
        await using var server = await FakeApiServer.StartAsync(tls: true, mutual: true);
        await Assert_syncs(server, $"{{ client-certificate-data: {Base64(server.CertificatePem)}, client-key-data: {Base64(server.KeyPem)} }}");
    }

    [Fact]
    public async Task Pod_uses_its_service_account()
    {
        await using var server = await FakeApiServer.StartAsync(token: "account", tls: true);
        await File.WriteAllTextAsync(Path.Combine(directory, "token"), "account\n", TestContext.Current.CancellationToken);
        Assert.Throws<FlowsException>(() => ApiAccess.InCluster(directory, "127.0.0.1", "443"));
        await File.WriteAllTextAsync(Path.Combine(directory, "ca.crt"), server.CertificatePem, TestContext.Current.CancellationToken);
        var port = server.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(new Uri("https://[fd00::1]:6443"), ApiAccess.InCluster(directory, "fd00::1", "6443").Server);

        var access = ApiAccess.InCluster(directory, "127.0.0.1", port) with { ServerName = "fake-cluster" };
        using var connection = await ApiConnection.OpenAsync(access, TimeSpan.FromSeconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        using var answer = await connection.GetAsync("/api/v1/pods", "application/json", TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, answer.ToString());
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private async Task Assert_syncs(FakeApiServer server, string user)
    {
        await using var watched = await WatchedWith(server, user);
        await watched.UntilAsync(() => watched.Source.Health().All(one => one.Synced), "all lists are read");
    }

    private async Task<Watched> WatchedWith(FakeApiServer server, string user)
    {
        var path = Path.Combine(directory, "config");
        var config = server.Kubeconfig();
        await File.WriteAllTextAsync(path, config[..config.LastIndexOf("user: {", StringComparison.Ordinal)] + $"user: {user.Trim()}\n", TestContext.Current.CancellationToken);
        return await Watched.StartAsync(server, options => options with { Kubeconfig = path }, synced: false);
    }
}
