using System.Runtime.InteropServices;

namespace Flows;

/// <summary>
/// How long a long-running verb runs: until SIGINT or SIGTERM, or until standard input closes where a supervisor asks for that.
/// The first signal asks for an orderly end; a second one ends the process as the system does.
/// </summary>
internal sealed class Lifetime : IDisposable
{
    private readonly CancellationTokenSource ending;
    private readonly PosixSignalRegistration[] signals;

    private Lifetime(CancellationToken outer)
    {
        ending = CancellationTokenSource.CreateLinkedTokenSource(outer);
        signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, End), PosixSignalRegistration.Create(PosixSignal.SIGTERM, End)];
    }

    /// <summary>Cancelled when it is time to end.</summary>
    public CancellationToken Token => ending.Token;

    public static Lifetime Start(CancellationToken outer, bool untilStdinCloses = false)
    {
        var lifetime = new Lifetime(outer);
        if (untilStdinCloses)
        {
            new Thread(lifetime.WaitForStdin) { IsBackground = true, Name = "stdin" }.Start();
        }

        return lifetime;
    }

    public void Dispose()
    {
        foreach (var signal in signals)
        {
            signal.Dispose();
        }

        ending.Dispose();
    }

    private void End(PosixSignalContext context)
    {
        context.Cancel = !ending.IsCancellationRequested;
        ending.Cancel();
    }

    private void WaitForStdin()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[256];
        while (input.Read(ignored) > 0)
        {
        }

        try
        {
            ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The verb ended by itself before its supervisor did.
        }
    }
}
