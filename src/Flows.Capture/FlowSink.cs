using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture;

/// <summary>Takes a finished row from a source, on the source's own thread.</summary>
public delegate void FlowSink(in FlowRow row);

/// <summary>Where a source stands: the node and the address scope that its rows carry.</summary>
public sealed record ObservationPoint(string Node, string Scope)
{
    public ulong NodeId { get; } = StableId.OfNode(Node);

    public ulong ScopeId { get; } = StableId.OfScope(Scope);
}
