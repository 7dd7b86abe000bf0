using System.Diagnostics;
using System.Text.RegularExpressions;
using Flows.Core.Facts;
using Flows.Demo;

namespace Flows.SystemTests.Demo;

/// <summary><c>conntrack -E -e NEW</c> in the network namespace of a process: each new connection with both its tuples.</summary>
internal sealed partial class ConntrackWatch
{
    // Ends with the test, however that ends: its standard input closes then.
    private const string Script = "conntrack -E -e NEW --buffer-size 4194304 & watch=$!; read end; kill $watch; wait $watch";

    private readonly Process process;
    private readonly Task<string> output;

    private ConntrackWatch(Process process)
    {
        this.process = process;
        output = process.StandardOutput.ReadToEndAsync();
    }

    public static ConntrackWatch Start(int pid) => new(Process.Start(new ProcessStartInfo("nsenter", ["--target", $"{pid}", "--net", "--", "sh", "-c", Script])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    /// <summary>How a true connection must look in the kernel: who dialled what, and who answers.</summary>
    public static string KeyOf(TruthConnection one) =>
        $"{one.Protocol} {one.SrcAddress}:{one.SrcPort} answered by {one.DstAddress}:{one.Port}";

    /// <summary>All new connections so far as <see cref="KeyOf"/> writes them, sorted.</summary>
    public async Task<List<string>> StopAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        var lines = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.Dispose();
        return [.. lines.Select(Key).Order()];
    }

    // The first tuple is the client's, the second the answer's: its source is who answers.
    private static string Key(string line)
    {
        var match = Event().Match(line);
        return match.Success
            ? $"{match.Groups["protocol"].Value} {Canonical(match.Groups["src"].Value)}:{match.Groups["sport"].Value} answered by {Canonical(match.Groups["dst"].Value)}:{match.Groups["dport"].Value}"
            : $"unexpected: {line}";
    }

    private static string Canonical(string address) => NetAddress.Parse(address).ToString();

    [GeneratedRegex(@"\[NEW\] (?:ipv[46] +\d+ )?(?<protocol>tcp|udp) .*?src=(?<src>\S+) dst=\S+ sport=(?<sport>\d+) .*src=(?<dst>\S+) dst=\S+ sport=(?<dport>\d+)")]
    private static partial Regex Event();
}
