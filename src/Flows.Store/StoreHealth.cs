namespace Flows.Store;

/// <summary>Where a store stands.</summary>
/// <param name="Sequence">Number of the manifest; it grows with every change.</param>
/// <param name="Rows">Sealed flow rows.</param>
/// <param name="Files">Live files.</param>
/// <param name="Bytes">Bytes of the live files.</param>
public sealed record StoreHealth(long Sequence, long Rows, long Files, long Bytes);
