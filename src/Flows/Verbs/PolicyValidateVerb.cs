using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>One policy of the files that were validated.</summary>
internal sealed record ValidatedPolicy(string Name, string Kind, string Document, bool Valid, IReadOnlyList<ValidationError> Errors)
{
    public static ValidatedPolicy Of(PolicyObject one) =>
        new(one.Id, one.Kind, one.Document, one.IsValid, [.. one.Faults.Select(fault => new ValidationError(fault.Path, $"{fault.What}.", fault.Line))]);
}

/// <summary>Where a policy is wrong, and why.</summary>
internal sealed record ValidationError(string Path, string Message, long Line);

/// <summary><c>flows policy validate</c>: whether the API would take policies, without asking it.</summary>
internal static class PolicyValidateVerb
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files of policies (YAML or JSON), or directories of such files.", Arity = ArgumentArity.OneOrMore };
        var output = CommonOptions.Output("table", "json");
        var command = new Command("validate", """
            Check policies as the API would, and name the field of everything that it would refuse. Ends with exit code 3 if any is invalid.

            Example: flows policy validate ./policies --output json
            """)
        {
            paths, output,
        };
        command.SetAction(parse =>
        {
            var all = PolicyReader.Objects(parse.GetValue(paths)!.SelectMany(PolicyFiles.Read)).Select(ValidatedPolicy.Of).ToList();
            if (parse.GetValue(output) == "json")
            {
                all.ForEach(one => Console.Out.WriteLine(JsonSerializer.Serialize(one, Json.Compact.ValidatedPolicy)));
            }
            else
            {
                var table = new DataTable("policy", "kind", "valid", "document", "line", "field", "error");
                foreach (var one in all)
                {
                    foreach (var error in one.Errors.DefaultIfEmpty())
                    {
                        table.Add(one.Name, one.Kind, one.Valid, one.Document, error?.Line, error?.Path, error?.Message);
                    }
                }

                table.Print("table", Console.Out);
            }

            return (int)(all.TrueForAll(one => one.Valid) ? ExitCode.Ok : ExitCode.No);
        });
        return command;
    }
}
