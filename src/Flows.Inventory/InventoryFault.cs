namespace Flows.Inventory;

/// <summary>Why an entry was not taken, and what to do about it.</summary>
internal sealed record InventoryFault(string Reason, string Remedy);

/// <summary>Carries a fault out of nested readers to whoever reads the entry, and no further.</summary>
internal sealed class InventoryFaultException(string reason, string remedy) : Exception(reason)
{
    public InventoryFault Fault { get; } = new(reason, remedy);
}
