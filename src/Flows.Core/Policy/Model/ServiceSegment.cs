namespace Flows.Core.Policy;

/// <summary>Whoever answers behind a service, however that changes.</summary>
public sealed record ServiceSegment(string Namespace, string Name) : Segment
{
    public override string Key => $"service {Namespace}/{Name}";

    public override bool Covers(Segment other) => Equals(other);

    public bool Equals(ServiceSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => $"service {Namespace}/{Name}";
}
