using System.CommandLine;
using Flows;
using Flows.Verbs;

GarbageThreads.Choose(args);
var root = new RootCommand("Flows: what talks to what, who was that at the time, and which rules would allow exactly that.");
foreach (var verb in (Command[])
[
    DemoVerb.Create(),
    DoctorVerb.Create(),
    UpVerb.Create(),
    CollectVerb.Create(),
    ServeVerb.Create(),
    ReplayVerb.Create(),
    SqlVerb.Create(),
    MapVerb.Create(),
    WhoVerb.Create(),
    InventoryVerb.Create(),
    LabelsVerb.Create(),
    PolicyVerb.Create(),
    DemoPodVerb.Create(),
])
{
    root.Add(verb);
}

return (int)await CommandLine.RunAsync(root, args).ConfigureAwait(false);
