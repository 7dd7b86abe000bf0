using System.Diagnostics;
using System.Text;
using Flows.Core;

namespace Flows.Demo;

/// <summary>
/// A child that ends when its standard input closes. This process holds the only writing end, and the kernel closes it with this
/// process, however that ends: no clean-up of ours has to run. (PR_SET_PDEATHSIG would fire when the thread that forked ends.)
/// </summary>
internal sealed class BoundProcess : IAsyncDisposable
{
    private const int ErrorTextMax = 4096;

    private readonly Process process;
    private readonly StringBuilder errors = new();
    private readonly Task errorsRead;
    private bool disposed;

    private BoundProcess(string name, Process process)
    {
        Name = name;
        Pid = process.Id;
        this.process = process;
        errorsRead = ReadErrorsAsync();
    }

    /// <summary>What it is, for messages.</summary>
    public string Name { get; }

    public int Pid { get; }

    public StreamWriter Input => process.StandardInput;

    public StreamReader Output => process.StandardOutput;

    /// <summary>The first part of what it said on standard error.</summary>
    public string Errors
    {
        get
        {
            lock (errors)
            {
                return errors.ToString().Trim();
            }
        }
    }

    /// <summary>
    /// Starts <c>program arguments</c> in a session of its own, so that Ctrl+C in the terminal reaches only this process, which then ends
    /// its children in order. The process id is that of the program: setsid, unshare and nsenter replace themselves.
    /// </summary>
    /// <exception cref="FlowsException">It cannot be started.</exception>
    public static BoundProcess Start(string name, params IEnumerable<string> command)
    {
        var start = new ProcessStartInfo("setsid", command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Where the executable is not native, the runtime's diagnostic sockets in the temporary directory would survive a kill.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        try
        {
            return new BoundProcess(name, Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new FlowsException(ExitCode.Failed, $"The demo cannot start {name}: {fault.Message}.", fault);
        }
    }

    /// <summary>Closes its input and waits for it to end; after <paramref name="grace"/> it is killed.</summary>
    /// <returns>Its exit code, or null when it had to be killed.</returns>
    public async Task<int?> StopAsync(TimeSpan grace)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already, with a line of ours unread.
        }

        using var patience = new CancellationTokenSource(grace);
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            await KillAsync().ConfigureAwait(false);
            return null;
        }
    }

    /// <summary>Ends it at once, as the kernel's out-of-memory killer would.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // Whoever started a guest may end it before the fleet does.
        if (disposed)
        {
            return;
        }

        disposed = true;
        await StopAsync(TimeSpan.FromSeconds(3)).ConfigureAwait(false);
        await errorsRead.ConfigureAwait(false);
        process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        // Read to the end, so that the child never blocks on a full pipe.
        while (await process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            lock (errors)
            {
                if (errors.Length < ErrorTextMax)
                {
                    errors.AppendLine(line);
                }
            }
        }
    }
}
