using System.Diagnostics;

namespace Flows.Benchmarks.Measuring;

/// <summary>Runs a program of the system to its end.</summary>
internal static class Tool
{
    public static string Run(string program, string arguments, string? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw BenchException.Of($"{program} {arguments}: {error.GetAwaiter().GetResult().Trim()}");
    }
}
