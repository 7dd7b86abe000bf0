namespace Flows.Core.Policy;

/// <summary>
/// A stage of the decision. Tiers are asked by ascending order; the first that decides a connection decides it. A tier that says nothing about it
/// leaves it to the next, and where none says anything it is allowed.
/// </summary>
/// <param name="Order">The numbers of the three that every fleet has are those under which Calico publishes them, so that tiers of its users fall between.</param>
public sealed record Tier(string Name, double Order) : IComparable<Tier>
{
    /// <summary>Guard rails that nobody below can override.</summary>
    public static Tier Admin { get; } = new("admin", 1_000);

    /// <summary>What applications and namespaces say for themselves.</summary>
    public static Tier Application { get; } = new("application", 1_000_000);

    /// <summary>What holds where nobody said anything.</summary>
    public static Tier Baseline { get; } = new("baseline", 10_000_000);

    public int CompareTo(Tier? other)
    {
        var byOrder = Order.CompareTo(other?.Order ?? double.NegativeInfinity);
        return byOrder != 0 ? byOrder : string.CompareOrdinal(Name, other?.Name);
    }

    public static bool operator <(Tier left, Tier right) => left.CompareTo(right) < 0;

    public static bool operator >(Tier left, Tier right) => left.CompareTo(right) > 0;

    public static bool operator <=(Tier left, Tier right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Tier left, Tier right) => left.CompareTo(right) >= 0;

    public override string ToString() => Name;
}
