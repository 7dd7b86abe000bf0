using System.CommandLine;
using System.CommandLine.Parsing;
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
            Complain(SentenceOf(parsed));
            await Console.Error.WriteLineAsync($"Try '{PathOf(parsed.CommandResult)} --help'.").ConfigureAwait(false);
            return ExitCode.Usage;
        }

        using var interrupted = new CancellationTokenSource();
        try
        {
            // Lifetime hears the signals, and gives a verb the time it needs to end in order; the library would cut it short after two seconds.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
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

    /// <summary>The verb as a person types it, from the executable on: <c>flows policy suggest</c>.</summary>
    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "flows";

    /// <summary>What is wrong, in one sentence: a word that is not known says more than what is missing because of it.</summary>
    private static string SentenceOf(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var kind = word.StartsWith('-') ? "option" : command.Command.Subcommands.Count > 0 ? "verb" : "argument";
            return $"'{PathOf(command)}' has no {kind} '{word}'.";
        }

        // The library lists choices one a line.
        var lines = parsed.Errors[0].Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 1 ? lines[0] : $"{lines[0]} {string.Join(", ", lines[1..])}.";
    }

    private static void Complain(string sentence) => Console.Error.WriteLine($"flows: {sentence}");
}
