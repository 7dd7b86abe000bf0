using System.CommandLine;
using Flows.Core;

namespace Flows;

/// <summary>
/// What every verb shares: parse, act, and turn faults into one sentence and an exit code. Data goes to standard output,
/// everything else to standard error.
/// </summary>
internal static class CommandLine
{
    public static async Task<ExitCode> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
        {
            foreach (var error in parsed.Errors)
            {
                Complain(error.Message);
            }

            await Console.Error.WriteLineAsync($"Try 'flows {parsed.CommandResult.Command.Name} --help'.").ConfigureAwait(false);
            return ExitCode.Usage;
        }

        using var interrupted = new CancellationTokenSource();
        try
        {
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
            return (ExitCode)await parsed.InvokeAsync(configuration, interrupted.Token).ConfigureAwait(false);
        }
        catch (FlowsException fault)
        {
            Complain(fault.Message);
            return fault.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Complain(fault.Message);
            return ExitCode.Failed;
        }
    }

    private static void Complain(string sentence) => Console.Error.WriteLine($"flows: {sentence}");
}
