namespace Flows.Core.Policy;

/// <summary>Sides of the fleet's border.</summary>
public enum Boundary
{
    /// <summary>Whatever is no pod and no host of the fleet.</summary>
    Outside,

    /// <summary>Every pod and every host of the fleet.</summary>
    Inside,

    /// <summary>The host that the other end runs on.</summary>
    OwnHost,

    /// <summary>Every host of the fleet but the one that the other end runs on.</summary>
    OtherHosts,
}

/// <summary>A side of the fleet's border, without naming who stands there.</summary>
public sealed record BoundarySegment(Boundary Side) : Segment
{
    public override string Key => $"boundary {Side}";

    public override bool Covers(Segment other) => other switch
    {
        BoundarySegment boundary => Side == boundary.Side || (Side == Boundary.Inside && boundary.Side != Boundary.Outside),
        PodSegment or HostSegment => Side == Boundary.Inside,
        _ => false,
    };

    public bool Equals(BoundarySegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Side switch
    {
        Boundary.Outside => "outside the fleet",
        Boundary.Inside => "inside the fleet",
        Boundary.OwnHost => "the own host",
        _ => "other hosts",
    };
}
