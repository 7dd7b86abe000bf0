namespace Flows.Core.Policy;

/// <summary>
/// Whom a rule speaks about, at whatever level: a pod, workload, service, namespace, host, boundary, external name or range.
/// Two segments are the same when their keys are.
/// </summary>
public abstract record Segment
{
    /// <summary>The exact meaning as text: the order of output, and equality.</summary>
    public abstract string Key { get; }

    /// <summary>True where everything in the other is certainly here too, as far as the text shows.</summary>
    public abstract bool Covers(Segment other);

    public virtual bool Equals(Segment? other) => other is not null && Key == other.Key;

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    public sealed override string ToString() => Shown;

    /// <summary>As a person reads it.</summary>
    protected abstract string Shown { get; }
}
