namespace Flows.Capture.Doctor;

/// <summary>One thing that decides what a node can see. A check only looks: it never changes anything.</summary>
/// <param name="id">Stable id in snake_case.</param>
/// <param name="area">What it belongs to, for people: one of <see cref="Areas"/>.</param>
public abstract class Check(string id, string area)
{
    /// <summary>The areas in the order in which they are shown.</summary>
    public static IReadOnlyList<string> Areas { get; } = ["rights", "kernel", "conntrack", "dataplane", "interfaces", "owners", "delivery"];

    public string Id => id;

    public string Area => area;

    /// <summary>Looks. May block; whoever calls it bounds the time.</summary>
    public abstract Finding Look(NodeView node);

    protected Finding Ok(string found, string consequence = "", string mend = "") => new(id, FindingStatus.Ok, found, consequence, mend);

    protected Finding Warn(string found, string consequence, string mend) => new(id, FindingStatus.Warn, found, consequence, mend);

    protected Finding Fail(string found, string consequence, string mend) => new(id, FindingStatus.Fail, found, consequence, mend);

    protected Finding Unknown(string found, string consequence = "", string mend = "") => new(id, FindingStatus.Unknown, found, consequence, mend);
}
