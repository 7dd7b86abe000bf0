using System.Net;
using k8s.Models;

namespace Flows.SystemTests.Enforcement;

/// <summary>A pod of a random cluster, or with no namespace somebody outside.</summary>
internal sealed record TestPod(string Namespace, string Name, IPAddress Address, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<V1ContainerPort> Ports)
{
    public bool IsOutside => Namespace.Length == 0;
}
