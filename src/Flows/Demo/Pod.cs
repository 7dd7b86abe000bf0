using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;

namespace Flows.Demo;

/// <summary>
/// The inside of a demo pod: real sockets in the namespace that this process holds. Requests: <c>ready</c>, <c>listen</c>,
/// <c>dial</c>, <c>accepted</c> (everything that was accepted so far), <c>set</c> (kernel settings), <c>run</c> (a program).
/// </summary>
/// <param name="answers">Takes one JSON line per answer.</param>
internal sealed class Pod(TextWriter answers, TimeProvider time)
{
    private readonly Lock writing = new();
    private readonly PodListeners listeners = new(time);

    /// <summary>Obeys until the commands end. The end of standard input is the fleet's only way, and a sure one, to end a pod.</summary>
    public void Run(TextReader commands)
    {
        while (commands.ReadLine() is { } line)
        {
            var request = JsonSerializer.Deserialize(line, Json.Compact.PodRequest)!;
            _ = AnswerAsync(request);
        }
    }

    private async Task AnswerAsync(PodRequest request)
    {
        PodReply reply;
        try
        {
            reply = await ObeyAsync(request).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or SocketException or UnauthorizedAccessException or System.ComponentModel.Win32Exception
            or OperationCanceledException or InvalidOperationException)
        {
            reply = new PodReply { Error = fault.Message };
        }

        try
        {
            lock (writing)
            {
                answers.WriteLine(JsonSerializer.Serialize(reply with { Id = request.Id }, Json.Compact.PodReply));
            }
        }
        catch (IOException)
        {
            // The fleet is gone; the end of standard input follows and ends this process.
        }
    }

    private async Task<PodReply> ObeyAsync(PodRequest request)
    {
        switch (request.Do)
        {
            case "ready":
                return new PodReply();
            case "listen":
                listeners.Open(request.Protocol, request.Port);
                return new PodReply();
            case "dial":
                return new PodReply { Dialled = await new PodDialler(time).DialAsync(request).ConfigureAwait(false) };
            case "accepted":
                return new PodReply { Accepted = listeners.Accepted };
            case "set":
                foreach (var setting in request.Settings)
                {
                    // The kernel shows each process the settings of its own namespace here.
                    await File.WriteAllTextAsync(Path.Combine("/proc/sys", setting.Path), setting.Value).ConfigureAwait(false);
                }

                return new PodReply();
            case "run":
                return new PodReply { Error = await RunProgramAsync(request).ConfigureAwait(false) };
            default:
                return new PodReply { Error = $"A pod cannot '{request.Do}'." };
        }
    }

    private static async Task<string?> RunProgramAsync(PodRequest request)
    {
        var start = new ProcessStartInfo(request.Name, request.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var program = Process.Start(start) ?? throw new InvalidOperationException($"{request.Name} did not start.");
        var output = program.StandardOutput.ReadToEndAsync();
        var errors = program.StandardError.ReadToEndAsync();
        await program.StandardInput.WriteAsync(request.Input).ConfigureAwait(false);
        program.StandardInput.Close();
        await program.WaitForExitAsync().ConfigureAwait(false);
        _ = await output.ConfigureAwait(false);
        var said = (await errors.ConfigureAwait(false)).Trim();
        return program.ExitCode == 0 ? null : $"{request.Name} {string.Join(' ', request.Arguments)} failed ({program.ExitCode}): {said}";
    }
}
