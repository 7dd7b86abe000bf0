namespace Flows.Core.Policy;

/// <summary>Which ways a rendering may differ from the model.</summary>
[Flags]
public enum LossEffect
{
    /// <summary>Traffic is judged alike; something else has to be known or done.</summary>
    Note = 0,

    /// <summary>Something that the model lets through may be stopped.</summary>
    Closes = 1,

    /// <summary>Something that the model stops may be let through.</summary>
    Opens = 2,
}

/// <summary>Something that a target cannot say.</summary>
/// <param name="Policy">The policy's id.</param>
/// <param name="Place">Where in it: <c>ingress[2]</c>, or empty for the policy as a whole.</param>
/// <param name="What">A sentence: what is lost, and what was done instead.</param>
public sealed record Loss(string Policy, string Place, LossEffect Effect, string What)
{
    /// <summary>What the loss does to traffic, in words.</summary>
    public string EffectText => Effect switch
    {
        LossEffect.Note => "note",
        LossEffect.Closes => "stops more",
        LossEffect.Opens => "lets more through",
        _ => "stops more here and lets more through there",
    };

    public override string ToString() => $"{Policy}{(Place.Length == 0 ? "" : $" {Place}")}: {What}";
}

/// <summary>A file of a rendering.</summary>
/// <param name="Policy">The id of the policy in it; empty where it holds several, or none.</param>
public sealed record RenderedFile(string Name, string Text, string Policy = "");

/// <summary>A set in the words of a target, and what got lost on the way.</summary>
public sealed record Rendering(IReadOnlyList<RenderedFile> Files, IReadOnlyList<Loss> Losses)
{
    /// <summary>True where the target means exactly what the model means.</summary>
    public bool IsExact => Losses.All(loss => loss.Effect == LossEffect.Note);

    /// <summary>The files as a reader takes them.</summary>
    public IEnumerable<PolicyDocument> Documents => Files.Select(file => new PolicyDocument(file.Name, file.Text));
}
