using System.Net;
using Flows.Capture.Host;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory.Host;
using Flows.Tests.Transport;
using Xunit;

namespace Flows.Tests.Inventory;

/// <summary>What a machine's files, its kernel and its cloud say of it.</summary>
public sealed class HostFilesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Files_tell_what_the_machine_is()
    {
        Write("etc/machine-id", "8a7b6c5d4e3f\n");
        Write("etc/os-release", "NAME=x\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 \u202e\"\n");
        Write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
        Write("proc/sys/kernel/hostname", "web-1\n");
        Write("proc/cpuinfo", "flags\t\t: fpu vme hypervisor lahf_lm\n");
        Write("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
        var files = new HostFiles(directory.Path, directory.Path);

        Assert.Equal(("vm", "ec2"), (files.Kind, CloudMetadata.ProviderOf(files)));
        Assert.Equal(16, files.Machine.Length);
        Assert.DoesNotContain("8a7b6c5d", files.Machine, StringComparison.Ordinal);
        var facts = files.Facts();
        Assert.Equal(("debian", "12", "Debian GNU/Linux 12 \u202e", "6.1.0-18-amd64", "web-1", "Amazon EC2"),
            (facts["os"], facts["os_version"], facts["os_name"], facts["kernel"], facts["hostname"], facts["vendor"]));
    }

    [Fact]
    public void Machine_that_says_nothing_is_a_host_of_no_cloud()
    {
        var files = new HostFiles(directory.Path, directory.Path);
        Assert.Equal(("host", null, "arch"), (files.Kind, CloudMetadata.ProviderOf(files), Assert.Single(files.Facts().Keys)));
        Assert.Empty(HostLabels.Read(files.Labels).Labels);
    }

    [Fact]
    public void Labels_are_read_line_by_line_and_bad_ones_are_told()
    {
        Write("labels", "# who we are\n\napp = shop\nenv=prod=eu\nenv=dev\nno key\n=x\nhost.os=mine\n\u0007odd\u202e=<b>\n");
        Write("labels.d/10-site", "location=berlin\napp=web\n");
        Write("labels.d/.hidden", "app=no\n");
        var report = HostLabels.Read(directory.Path);
        Assert.Equal(["app=web", "env=prod=eu", "location=berlin", "\u0007odd\u202e=<b>"], report.Labels.Select(one => $"{one.Key}={one.Value}").Order(StringComparer.Ordinal).OrderBy(one => one[0] < 'a'));
        Assert.Equal(["labels:5", "labels:6", "labels:7", "labels:8"], report.Rejected.Select(line => line.Where));
        Assert.All(report.Rejected, line => Assert.NotEmpty(line.Remedy));
    }

    [Fact]
    public async Task EC2_is_asked_with_a_token()
    {
        using var cloud = new Cloud(request => request.RequestUri!.AbsolutePath switch
        {
            "/latest/api/token" when request.Method == HttpMethod.Put && request.Headers.Contains("X-aws-ec2-metadata-token-ttl-seconds") => "TOKEN",
            "/latest/dynamic/instance-identity/document" when request.Headers.GetValues("X-aws-ec2-metadata-token").Single() == "TOKEN" =>
                """{"instanceId":"i-1","region":"eu-central-1","availabilityZone":"eu-central-1a","accountId":"42","instanceType":"m7.large","imageId":null}""",
            _ => null,
        });
        var facts = await Ask(cloud, "ec2");
        Assert.Equal(("ec2", "i-1", "eu-central-1", "42", false), (facts["cloud"], facts["cloud_instance"], facts["cloud_region"], facts["cloud_account"], facts.ContainsKey("cloud_image")));
        Assert.All(cloud.Asked, uri => Assert.Equal("169.254.169.254", uri.Host));
    }

    [Fact]
    public async Task GCE_and_Azure_are_asked_in_their_way()
    {
        using var google = new Cloud(request => request.Headers.GetValues("Metadata-Flavor").Single() != "Google" ? null : request.RequestUri!.AbsolutePath switch
        {
            "/computeMetadata/v1/project/project-id" => "shop-1",
            "/computeMetadata/v1/instance/id" => "77",
            "/computeMetadata/v1/instance/zone" => "projects/1/zones/europe-west1-b",
            "/computeMetadata/v1/instance/machine-type" => "projects/1/machineTypes/n2-standard-4",
            _ => null,
        });
        var facts = await Ask(google, "gce");
        Assert.Equal(("77", "europe-west1-b", "europe-west1", "n2-standard-4", "shop-1"), (facts["cloud_instance"], facts["cloud_zone"], facts["cloud_region"], facts["cloud_type"], facts["cloud_account"]));

        using var azure = new Cloud(request => request.Headers.Contains("Metadata") ? """{"vmId":"v","location":"westeurope","vmSize":"D4","subscriptionId":"s"}""" : null);
        Assert.Equal("westeurope", (await Ask(azure, "azure"))["cloud_region"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("slow")]
    public async Task Service_that_answers_otherwise_costs_a_second_at_most(string? answer)
    {
        using var cloud = new Cloud(_ => answer);
        var started = System.Diagnostics.Stopwatch.StartNew();
        Assert.Empty(await Ask(cloud, "azure"));
        Assert.Empty(await Ask(cloud, "ec2"));
        Assert.InRange(started.Elapsed.TotalSeconds, 0, 4);
    }

    [Fact]
    public void This_machines_addresses_are_known_with_their_time()
    {
        using var addresses = new HostAddresses(TimeProvider.System);
        Assert.Equal(addresses.Works && addresses.Current.Count + 1 > 0, addresses.Refresh() || addresses.Current.Count == 0);
        Assert.False(addresses.Refresh());
        Assert.All(addresses.Current, one => Assert.True(SharedAddresses.IsUniqueInScope(NetAddress.Parse(one.Address))));
    }

    [Theory]
    [InlineData(1000u, 20_000, 10_000_000)]
    [InlineData(2001u, 20_000, 0)]
    [InlineData(0u, 20_000, 20_000_000)]
    [InlineData(4_294_967_295u, 42_949_672_960 + 10_000, 10_010_000)]
    public void Time_of_creation_is_computed_back_from_now(uint ticks, long uptimeMs, long agoUs) =>
        Assert.Equal(agoUs, 1_000_000_000_000_000 - HostAddresses.SinceUs(ticks, uptimeMs, 1_000_000_000_000_000));

    private static async Task<IReadOnlyDictionary<string, string>> Ask(Cloud cloud, string provider)
    {
        using var metadata = new CloudMetadata(cloud);
        return await metadata.AskAsync(provider, TestContext.Current.CancellationToken);
    }

    private void Write(string path, string text)
    {
        var full = Path.Combine(directory.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    /// <summary>Answers as a cloud's service would; null is refused, "slow" never comes.</summary>
    private sealed class Cloud(Func<HttpRequestMessage, string?> answer) : HttpMessageHandler
    {
        public List<Uri> Asked { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!);
            var text = answer(request);
            if (text == "slow")
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return text is null ? new(HttpStatusCode.NotFound) : new(HttpStatusCode.OK) { Content = new StringContent(text) };
        }
    }
}
