using System.Diagnostics;
using System.Globalization;
using Flows.Core;

namespace Flows.Benchmarks.Measuring;

/// <summary>What a process took: user and system time of it and of its children that it waited for, and its peak resident memory.</summary>
internal sealed record Usage(TimeSpan Cpu, long PeakResidentBytes, int ExitCode, string Output, string Error);

/// <summary>
/// A process whose whole life is measured by wait4(2), pinned to one core unless its place is anywhere. A shell starts it in the background and ends, so that it becomes
/// our child by PR_SET_CHILD_SUBREAPER: a process forked from this one directly would inherit our own peak memory as its own.
/// </summary>
internal sealed class MeasuredProcess : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    private readonly string name;
    private readonly int pid;
    private readonly DirectoryInfo outputs;
    private bool ended;

    private MeasuredProcess(string name, int pid, DirectoryInfo outputs)
    {
        this.name = name;
        this.pid = pid;
        this.outputs = outputs;
    }

    /// <summary>What it has written to standard output so far.</summary>
    public string Output => Read("out");

    public string Error => Read("err");

    /// <summary>True when it is a zombie that waits to be reaped.</summary>
    private bool HasEnded => File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    public static MeasuredProcess Start(Place place, string program, params IReadOnlyList<string> arguments)
    {
        if (Native.ProcessControl(Native.SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw BenchException.OfErrno("become the reaper of orphans");
        }

        var outputs = Directory.CreateTempSubdirectory("flows-bench-");
        var shell = new ProcessStartInfo("sh") { RedirectStandardOutput = true };
        string[] all = ["-c", """d=$1; shift; "$@" </dev/null >"$d/out" 2>"$d/err" & echo $!""", "sh", outputs.FullName, program, .. arguments];
        all.ToList().ForEach(shell.ArgumentList.Add);
        var pid = PinnedThread.Run(place, () =>
        {
            using var process = Process.Start(shell)!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return int.Parse(text, CultureInfo.InvariantCulture);
        });
        return new MeasuredProcess(Path.GetFileName(program), pid, outputs);
    }

    /// <summary>Runs a program to its end.</summary>
    public static Usage Run(Place place, TimeSpan atMost, string program, params IReadOnlyList<string> arguments)
    {
        using var process = Start(place, program, arguments);
        var usage = process.WaitForEnd(atMost);
        return usage.ExitCode == 0 ? usage : throw BenchException.Of($"{program} {string.Join(' ', arguments)} ended with {usage.ExitCode}: {usage.Error.Trim()}");
    }

    /// <summary>Waits until it has written this on either output.</summary>
    public void WaitUntilItSays(string text, TimeSpan atMost)
    {
        var waited = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal) && !Error.Contains(text, StringComparison.Ordinal))
        {
            if (HasEnded || waited.Elapsed > atMost)
            {
                throw BenchException.Of($"{name} did not say '{text}', but: {Output.Trim()} {Error.Trim()}");
            }

            Thread.Sleep(LookEvery);
        }
    }

    /// <summary>Asks it to end by SIGTERM and waits for that.</summary>
    public Usage End(TimeSpan atMost)
    {
        _ = Native.Kill(pid, Native.SigTerm);
        return WaitForEnd(atMost);
    }

    public Usage WaitForEnd(TimeSpan atMost)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var got = Native.Wait(pid, out var status, Native.WaitNoHang, out var usage);
            if (got == pid)
            {
                ended = true;

                // As a shell tells it: the exit code, or 128 and the signal.
                var code = (status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F);
                return new Usage(usage.Cpu, usage.PeakResidentKib * 1024, code, Output, Error);
            }

            if (got < 0)
            {
                throw BenchException.OfErrno($"wait for {name}");
            }

            if (waited.Elapsed > atMost)
            {
                throw BenchException.Of(string.Create(CultureInfo.InvariantCulture, $"{name} did not end within {atMost.TotalSeconds} s."));
            }

            Thread.Sleep(LookEvery);
        }
    }

    public void Dispose()
    {
        if (!ended)
        {
            _ = Native.Kill(pid, Native.SigKill);
            _ = Native.Wait(pid, out _, 0, out _);
            ended = true;
        }

        outputs.Delete(recursive: true);
    }

    private string Read(string which)
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(outputs.FullName, which), FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
