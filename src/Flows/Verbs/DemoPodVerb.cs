using System.CommandLine;
using Flows.Core;
using Flows.Demo;

namespace Flows.Verbs;

/// <summary>
/// <c>flows demo-pod</c>: one inhabitant of the demo's fleet. The fleet starts it inside a network namespace of its own; it obeys
/// lines on standard input and ends when that closes, and the namespace ends with it.
/// </summary>
internal static class DemoPodVerb
{
    public static Command Create()
    {
        var command = new Command("demo-pod", "One pod of the demo; started by 'flows demo'.") { Hidden = true };
        command.SetAction(_ =>
        {
            using var commands = new StreamReader(Console.OpenStandardInput());
            using var answers = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
            new Pod(answers, TimeProvider.System).Run(commands);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
