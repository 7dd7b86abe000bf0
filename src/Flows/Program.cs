using System.CommandLine;
using Flows;
using Flows.Core;
using Flows.Verbs;

var root = new RootCommand("Flows: what talks to what, who was that at the time, and which rules would allow exactly that.");
foreach (var verb in (ReadOnlySpan<Command>)[Flows.Verbs.DemoPodVerb.Create()])
{
    root.Add(verb);
}

return (int)await CommandLine.RunAsync(root, args).ConfigureAwait(false);
