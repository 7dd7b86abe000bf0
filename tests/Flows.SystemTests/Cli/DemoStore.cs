using Flows.SystemTests.Cli;
using Xunit;

[assembly: AssemblyFixture(typeof(DemoStore))]

namespace Flows.SystemTests.Cli;

/// <summary>
/// One run of <c>flows demo --once</c> whose store and recording the tests share: the fleet on the real kernel as root, otherwise the
/// recording in the executable. It starts with the first test that asks for it.
/// </summary>
public sealed class DemoStore : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Lazy<Task<Finished>> run;

    public DemoStore() => run = new Lazy<Task<Finished>>(RunAsync);

    /// <summary>The recording of the run; there is one only as root.</summary>
    public string Recording => directory["demo.pcapng"];

    /// <summary>The store, filled.</summary>
    public async Task<string> PathAsync()
    {
        var finished = await RunOnceAsync();
        Assert.True(finished.ExitCode == 0, finished.ToString());
        return directory["store"];
    }

    internal Task<Finished> RunOnceAsync() => run.Value;

    public void Dispose() => directory.Dispose();

    private Task<Finished> RunAsync() => FlowsProcess.RunAsync(
        ["demo", "--once", "--store", directory["store"], "--output", "json", .. Environment.IsPrivilegedProcess ? (string[])["--record", Recording] : []]);
}
