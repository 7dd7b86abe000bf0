using Microsoft.Extensions.Hosting;

namespace Flows.Web;

/// <summary>
/// Leaves signals to whoever owns the process. The host's usual lifetime takes SIGTERM and SIGINT for itself and would keep a process alive
/// that nobody else ends.
/// </summary>
internal sealed class OwnersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
