using System.Runtime.InteropServices;
using Flows.Core;

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

    /// <summary>How a verb that ended in order exits: a supervisor that asked for the end gets what it wanted, a person interrupted.</summary>
    public ExitCode ExitCode { get; private set; } = ExitCode.Ok;

    public static Lifetime Start(CancellationToken outer, bool untilStdinCloses = false)
    {
        var lifetime = new Lifetime(outer);
        if (untilStdinCloses)
        {
            lifetime.OnStdin(static input =>
            {
                while (input.Read() >= 0)
                {
                    // Only its end says anything.
                }
            });
        }

        return lifetime;
    }

    /// <summary>Ends when a person presses Enter, or standard input closes.</summary>
    public void EndWhenStdinHasALine() => OnStdin(static input => input.ReadLine());

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
        if (context.Signal == PosixSignal.SIGINT)
        {
            ExitCode = ExitCode.Interrupted;
        }

        ending.Cancel();
    }

    /// <summary>Waits on a thread of its own: reading standard input cannot be cancelled.</summary>
    private void OnStdin(Action<TextReader> wait)
    {
        var thread = new Thread(() =>
        {
            wait(Console.In);
            try
            {
                ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The verb ended by itself first.
            }
        })
        { IsBackground = true, Name = "stdin" };
        thread.Start();
    }
}
