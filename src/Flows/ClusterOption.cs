using System.CommandLine;
using System.CommandLine.Parsing;
using Flows.Core;
using Flows.Inventory.Kubernetes;

namespace Flows;

/// <summary><c>--kubernetes NAME[,KEY=VALUE...]</c>: a cluster to watch.</summary>
internal static class ClusterOption
{
    public static Option<KubernetesOptions[]> Create() => new("--kubernetes")
    {
        Description = """
            Watch a cluster, read only, and name addresses by its pods, services and nodes: its name, then optionally in-cluster, kubeconfig=PATH,
            context=NAME, scope=NAME (the address scope of its collectors; default: default). May be repeated, with a scope each.
            """,
        HelpName = "NAME[,...]",
        CustomParser = result => Parse(result),
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Reads one cluster. Without a kubeconfig it is the one that this process runs in, where it runs in one.</summary>
    /// <exception cref="FlowsException">The text names no cluster, or a key that there is not.</exception>
    internal static KubernetesOptions Read(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts[0].Length == 0 || parts[0].Contains('='))
        {
            throw new FlowsException(ExitCode.Usage, $"--kubernetes '{text}' does not begin with the cluster's name; write --kubernetes production,kubeconfig=/etc/flows/kubeconfig.");
        }

        var options = new KubernetesOptions
        {
            Cluster = parts[0],
            Scope = "default",
            InCluster = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") is not null,
            Gather = TimeSpan.FromMilliseconds(500),
        };
        foreach (var part in parts.Skip(1))
        {
            var (key, value) = part.Split('=', 2) is [var left, var right] ? (left, right) : (part, "");
            options = (key, value) switch
            {
                ("in-cluster", "") => options with { InCluster = true },
                ("kubeconfig", { Length: > 0 }) => options with { Kubeconfig = Path.GetFullPath(value), InCluster = false },
                ("context", { Length: > 0 }) => options with { Context = value, InCluster = false },
                ("scope", { Length: > 0 }) => options with { Scope = value },
                _ => throw new FlowsException(ExitCode.Usage, $"--kubernetes: '{part}' is none of in-cluster, kubeconfig=PATH, context=NAME, scope=NAME."),
            };
        }

        return options;
    }

    private static KubernetesOptions[] Parse(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(token => Read(token.Value))];
        }
        catch (FlowsException fault)
        {
            result.AddError(fault.Message);
            return [];
        }
    }
}
