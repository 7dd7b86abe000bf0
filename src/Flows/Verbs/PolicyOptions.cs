using System.CommandLine;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>The options that verbs about policies share, and what they read.</summary>
internal static class PolicyOptions
{
    public static Option<string> ClusterFile() => new("--cluster")
    {
        Description = "The cluster: a List of namespaces, pods with status, nodes, services and EndpointSlices, as kubectl get -o yaml or json prints it.",
        HelpName = "FILE",
        Required = true,
    };

    public static Option<string> Policies() => new("--policies")
    {
        Description = "A file of policies (YAML or JSON), or a directory of such files.",
        HelpName = "PATH",
        Required = true,
    };

    public static Option<string?> Dialect() => new("--dialect")
    {
        Description = "Whose reading of the API is meant; unless given that of Cilium or Calico where the set has policies of theirs, else kubernetes.",
        HelpName = "NAME",
    };

    /// <summary>The dialect of this name; null where none is named.</summary>
    /// <exception cref="FlowsException">There is no dialect of that name.</exception>
    public static Dialect? DialectOf(string? name) => name is null ? null : Core.Policy.Dialect.Named(name);

    /// <summary>As the other; where none is named, the one that the set asks for.</summary>
    public static Dialect DialectOf(string? name, PolicySet set) => DialectOf(name) ?? Core.Policy.Dialect.Of(set);

    public static Option<bool> KeepGoing() => new("--keep-going") { Description = "Leave out what is invalid or unknown, say so, and judge the rest." };

    /// <summary>The set in a file or directory. With <paramref name="keepGoing"/> faults are said on standard error and the rest is the set.</summary>
    /// <exception cref="FlowsException">Something is invalid.</exception>
    public static PolicySet ReadSet(string path, bool keepGoing)
    {
        var objects = PolicyReader.Objects(PolicyFiles.Read(path));
        var faults = objects.SelectMany(one => one.Faults).ToList();
        if (faults.Count > 0 && !keepGoing)
        {
            faults.Skip(1).ToList().ForEach(fault => Console.Error.WriteLine($"flows: {VisibleText.Of(fault.Message)}"));
            throw faults[0];
        }

        faults.ForEach(fault => Console.Error.WriteLine($"left out: {VisibleText.Of(fault.Message)}"));
        return PolicyReader.SetOf(objects);
    }

    public static FleetView ReadCluster(string path) => ClusterReader.Read(ReadFile(path, "--cluster"));

    public static PolicyDocument ReadFile(string path, string option) => File.Exists(path)
        ? new PolicyDocument(path, File.ReadAllText(path))
        : throw new FlowsException(ExitCode.Usage, $"There is no file '{path}'; give one with {option}.");
}
