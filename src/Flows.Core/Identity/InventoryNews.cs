namespace Flows.Core.Identity;

/// <summary>What an inventory has to say that it had not said before: everything that a watcher, a host or a file adds to the ledger at once.</summary>
public sealed record InventoryNews
{
    public IReadOnlyList<IdentityInterval> Identities { get; init; } = [];

    public IReadOnlyList<ServicePort> ServicePorts { get; init; } = [];

    public IReadOnlyList<Backend> Backends { get; init; } = [];

    public IReadOnlyList<ClusterObject> Objects { get; init; } = [];

    public bool IsEmpty => Identities.Count + ServicePorts.Count + Backends.Count + Objects.Count == 0;
}
