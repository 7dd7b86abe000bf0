using System.Text.Json;

namespace Flows.Inventory.Host;

/// <summary>
/// What a cloud tells its virtual machines about themselves, at the link-local address 169.254.169.254 and nowhere else. Asked only where the firmware says whose
/// machine it is, so that nothing is asked on bare metal, and for one second at most. The answer is somebody else's text.
/// </summary>
public sealed class CloudMetadata : IDisposable
{
    private const string Service = "http://169.254.169.254";
    private const int BytesMax = 64 << 10;
    private const int TextMax = 253;
    private const string AzureChassis = "7783-7084-3265-9085-8269-3286-77";

    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(1);

    private readonly HttpClient client;

    /// <param name="handler">What carries the questions; the network when null.</param>
    public CloudMetadata(HttpMessageHandler? handler = null) => client = new HttpClient(
        handler ?? new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ConnectTimeout = PatienceMax }, disposeHandler: handler is null)
    {
        Timeout = PatienceMax,
        MaxResponseContentBufferSize = BytesMax,
    };

    /// <summary>The provider by the firmware's words; null where it is none that we know.</summary>
    public static string? ProviderOf(HostFiles files) =>
        files.Firmware("sys_vendor") == "Amazon EC2" || files.Firmware("bios_version").Contains("amazon", StringComparison.OrdinalIgnoreCase) ? "ec2"
        : files.Firmware("product_name") == "Google Compute Engine" ? "gce"
        : files.Firmware("chassis_asset_tag") == AzureChassis ? "azure"
        : null;

    /// <summary>Facts by name, <c>cloud</c> first of all; nothing where the service does not answer as it should.</summary>
    public async Task<IReadOnlyDictionary<string, string>> AskAsync(string provider, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(PatienceMax);
        try
        {
            return provider switch
            {
                "ec2" => await AskEc2Async(patience.Token).ConfigureAwait(false),
                "gce" => await AskGceAsync(patience.Token).ConfigureAwait(false),
                "azure" => await AskAzureAsync(patience.Token).ConfigureAwait(false),
                _ => Nothing,
            };
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException or JsonException or InvalidOperationException)
        {
            cancellation.ThrowIfCancellationRequested();
            return Nothing;
        }
    }

    public void Dispose() => client.Dispose();

    private static IReadOnlyDictionary<string, string> Nothing { get; } = new Dictionary<string, string>();

    /// <summary>IMDSv2 only: the first version would answer a request that somebody tricked a program into.</summary>
    private async Task<IReadOnlyDictionary<string, string>> AskEc2Async(CancellationToken cancellation)
    {
        var token = await SendAsync(HttpMethod.Put, "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60", cancellation).ConfigureAwait(false);
        var answer = await SendAsync(HttpMethod.Get, "/latest/dynamic/instance-identity/document", "X-aws-ec2-metadata-token", token.Trim(), cancellation).ConfigureAwait(false);
        using var document = JsonDocument.Parse(answer);
        return Facts(
            "ec2", document.RootElement,
            ("instance", "instanceId"), ("region", "region"), ("zone", "availabilityZone"), ("account", "accountId"), ("type", "instanceType"), ("image", "imageId"));
    }

    private async Task<IReadOnlyDictionary<string, string>> AskGceAsync(CancellationToken cancellation)
    {
        var project = await SendAsync(HttpMethod.Get, "/computeMetadata/v1/project/project-id", "Metadata-Flavor", "Google", cancellation).ConfigureAwait(false);

        // One by one: the recursive answer holds the instance's start-up scripts and keys, which are nobody's business.
        var facts = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["cloud"] = "gce", ["cloud_account"] = Bounded(project) };
        foreach (var (name, path) in ((string, string)[])[("cloud_instance", "id"), ("cloud_zone", "zone"), ("cloud_type", "machine-type")])
        {
            // Zones and types come as projects/123/zones/europe-west1-b.
            var answer = await SendAsync(HttpMethod.Get, $"/computeMetadata/v1/instance/{path}", "Metadata-Flavor", "Google", cancellation).ConfigureAwait(false);
            facts[name] = Bounded(answer.Split('/')[^1]);
        }

        if (facts["cloud_zone"].LastIndexOf('-') is var dash and > 0)
        {
            facts["cloud_region"] = facts["cloud_zone"][..dash];
        }

        return facts;
    }

    private async Task<IReadOnlyDictionary<string, string>> AskAzureAsync(CancellationToken cancellation)
    {
        var answer = await SendAsync(HttpMethod.Get, "/metadata/instance/compute?api-version=2021-02-01", "Metadata", "true", cancellation).ConfigureAwait(false);
        using var document = JsonDocument.Parse(answer);
        return Facts("azure", document.RootElement, ("instance", "vmId"), ("region", "location"), ("zone", "zone"), ("account", "subscriptionId"), ("type", "vmSize"), ("group", "resourceGroupName"));
    }

    private async Task<string> SendAsync(HttpMethod method, string path, string header, string value, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, Service + path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await client.SendAsync(request, cancellation).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
    }

    private static SortedDictionary<string, string> Facts(string provider, JsonElement document, params ReadOnlySpan<(string Name, string Key)> wanted)
    {
        var facts = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["cloud"] = provider };
        foreach (var (name, key) in wanted)
        {
            if (document.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            {
                facts[$"cloud_{name}"] = Bounded(text);
            }
        }

        return facts;
    }

    private static string Bounded(string text) => text.Length > TextMax ? text[..TextMax] : text;
}
