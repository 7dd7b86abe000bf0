using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Flows.Capture.Host;

/// <summary>
/// Replaces this process by the same program with the same arguments (execve(2)): its id stays and all its threads end. For what is decided at the start of a process
/// and no more after that.
/// </summary>
public static unsafe partial class SelfExecution
{
    /// <summary>Puts this into the environment in which the program is executed; what the runtime has read of it already stays.</summary>
    /// <param name="name">Of the variable.</param>
    /// <param name="value">Of the variable.</param>
    /// <param name="unlessSet">Leaves alone what is there.</param>
    public static void Tell(string name, string value, bool unlessSet = false) => _ = SetEnvironment(name, value, unlessSet ? 0 : 1);

    /// <summary>Executes this program again. Returns only if that failed: with the reason.</summary>
    public static string Again()
    {
        RemoveDiagnosticPorts();

        // An executable that was replaced on disk meanwhile (an upgrade) is still there behind the link itself.
        const string Self = "/proc/self/exe";
        var path = new FileInfo(Self).LinkTarget is { } target && File.Exists(target) ? target : Self;
        var line = File.ReadAllBytes("/proc/self/cmdline");
        var pointers = new nint[line.Count(one => one == 0) + 1];
        fixed (byte* first = line)
        fixed (nint* arguments = pointers)
        {
            // Each argument ends with a zero byte; the list of them with a null pointer, which the array has from the start.
            var count = 0;
            for (var at = 0; at < line.Length; at += line.AsSpan(at).IndexOf((byte)0) + 1)
            {
                arguments[count++] = (nint)(first + at);
            }

            _ = Execute(path, (byte**)arguments);
        }

        return new Win32Exception(Marshal.GetLastPInvokeError()).Message;
    }

    /// <summary>The runtime that ends here without a word would leave its diagnostic port in the temporary directory.</summary>
    private static void RemoveDiagnosticPorts()
    {
        try
        {
            foreach (var pattern in new[] { $"dotnet-diagnostic-{Environment.ProcessId}-*", $"clr-debug-pipe-{Environment.ProcessId}-*" })
            {
                foreach (var port in Directory.EnumerateFiles(Path.GetTempPath(), pattern))
                {
                    File.Delete(port);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Litter, no more.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, byte** arguments);
}
