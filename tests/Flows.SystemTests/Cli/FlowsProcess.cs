using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Flows.SystemTests.Cli;

/// <summary>What a finished run of the executable left: its exit code and both of its outputs.</summary>
internal sealed record Finished(int ExitCode, byte[] Bytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(Bytes);

    /// <summary>Both, for the message of a failed assertion.</summary>
    public override string ToString() => $"exit code {ExitCode}\nstdout: {Output}\nstderr: {Error}";
}

/// <summary>The real executable, run as a person or a supervisor runs it.</summary>
internal sealed partial class FlowsProcess : IAsyncDisposable
{
    public const int SigInt = 2, SigKill = 9, SigTerm = 15, SigCont = 18, SigStop = 19;

    /// <summary>What <c>./dev test</c> published, which is what is shipped; where nothing is named, what was built with the tests.</summary>
    public static readonly string Executable = Environment.GetEnvironmentVariable("FLOWS_EXECUTABLE") is { Length: > 0 } published
        ? Path.GetFullPath(published)
        : Path.Combine(AppContext.BaseDirectory, "flows");

    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(150);

    private readonly Process process;
    private readonly StringBuilder error = new();
    private readonly Task<byte[]> output;
    private readonly Task errors;

    private FlowsProcess(Process process)
    {
        this.process = process;
        output = ReadAsync(process.StandardOutput.BaseStream);
        errors = ListenAsync(process.StandardError);
    }

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>What it has written to standard error so far.</summary>
    public string Error
    {
        get
        {
            lock (error)
            {
                return error.ToString();
            }
        }
    }

    /// <summary>Starts it in the network namespace of the calling thread.</summary>
    public static FlowsProcess Start(params string[] arguments) => new(Process.Start(Described(Executable, arguments))!);

    /// <summary>Starts a program that becomes the product, such as setpriv.</summary>
    public static FlowsProcess StartThrough(string program, params string[] arguments) => new(Process.Start(Described(program, arguments))!);

    /// <summary>Runs it to its end.</summary>
    public static Task<Finished> RunAsync(params string[] arguments) => RunAsync(Described(Executable, arguments), "");

    /// <summary>Runs it to its end with this text on standard input.</summary>
    public static Task<Finished> RunWithInputAsync(string input, params string[] arguments) => RunAsync(Described(Executable, arguments), input);

    /// <summary>Runs a program of the system to its end.</summary>
    public static Task<Finished> ToolAsync(string tool, params string[] arguments) => RunAsync(Described(tool, arguments), "");

    /// <summary>Waits until it has said this on standard error.</summary>
    public async Task SaysAsync(string text)
    {
        var waited = Stopwatch.StartNew();
        while (!Error.Contains(text, StringComparison.Ordinal))
        {
            if (process.HasExited || waited.Elapsed > PatienceMax)
            {
                throw new TimeoutException($"'{text}' was not said, but: {Error}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Sends a signal and goes on.</summary>
    public void Signal(int signal) => Xunit.Assert.Equal(0, Kill(process.Id, signal));

    /// <summary>Sends a signal and waits for the end.</summary>
    public async Task<(Finished Finished, TimeSpan Took)> EndAsync(int signal)
    {
        var started = Stopwatch.StartNew();
        if (Kill(process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"Cannot signal process {process.Id}; it had said: {Error}");
        }

        return (await FinishAsync(), started.Elapsed);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private static async Task<Finished> RunAsync(ProcessStartInfo description, string input)
    {
        await using var run = new FlowsProcess(Process.Start(description)!);
        await run.process.StandardInput.WriteAsync(input);
        run.process.StandardInput.Close();
        return await run.FinishAsync();
    }

    /// <summary>A shell without a terminal lets what it runs in the background ignore SIGINT, and so would all that is started from there: that is undone.</summary>
    private static ProcessStartInfo Described(string program, string[] arguments) => new("env", ["--default-signal=INT", program, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["NO_COLOR"] = "1" },
    };

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory);
        return memory.ToArray();
    }

    private async Task<Finished> FinishAsync()
    {
        using var patience = new CancellationTokenSource(PatienceMax);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Process {process.Id} did not end within {PatienceMax}; its threads wait in {Waits()}; it had said: {Error}");
        }

        await errors;
        return new Finished(process.ExitCode, await output, Error);
    }

    /// <summary>What each of its threads is called, and in which function of the kernel it waits (proc_pid_wchan(5)).</summary>
    private string Waits()
    {
        try
        {
            return string.Join(", ", Directory.GetDirectories($"/proc/{process.Id}/task")
                .Select(thread => $"{File.ReadAllText($"{thread}/comm").Trim()} {File.ReadAllText($"{thread}/wchan")} {File.ReadAllText($"{thread}/syscall").Split(' ')[0].Trim()}"));
        }
        catch (IOException)
        {
            return "a process that ended meanwhile";
        }
    }

    private async Task ListenAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (error)
            {
                error.Append(line).Append('\n');
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
