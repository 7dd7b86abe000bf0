using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>An address that is held now, since when, and under which interval that was stated.</summary>
internal readonly record struct Holding(NetAddress Address, long FromUs, ulong IntervalId);

/// <summary>Something of the cluster that holds addresses, with what was last said about it.</summary>
internal class Holder : Listed
{
    /// <summary>As last stated; null before the first statement and once it can say no more.</summary>
    public Entity? Entity { get; set; }

    /// <summary>What it holds now. A field of its own array: most hold one address, and there are a hundred thousand.</summary>
    public Holding[] Open { get; set; } = [];

    /// <summary>It held something before, so an address that it gets now is a new one.</summary>
    public bool WasOpen { get; set; }
}
