using System.Net;
using k8s.Models;

namespace Flows.KernelCluster;

/// <summary>A pod of a cluster, or with no namespace somebody whom no NetworkPolicy selects.</summary>
public sealed record TestPod(string Namespace, string Name, IPAddress Address, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<V1ContainerPort> Ports)
{
    /// <summary>The address of the node that it runs on, with which it may always talk; null where none is known.</summary>
    public IPAddress? Node { get; init; }

    public bool IsOutside => Namespace.Length == 0;
}
