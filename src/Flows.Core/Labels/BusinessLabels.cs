namespace Flows.Core.Labels;

/// <summary>One label, and why the entity has it.</summary>
/// <param name="Key"><c>app</c>, <c>role</c>, <c>env</c>, <c>location</c> or a key of the rules' own.</param>
/// <param name="Value">What the rule's template came to. It may be a stranger's text.</param>
/// <param name="Rule">The name of the rule that gave it.</param>
/// <param name="Template">The rule's template, which says from what the value was made.</param>
public sealed record BusinessLabel(string Key, string Value, string Rule, string Template);

/// <summary>What the rules make of one entity.</summary>
/// <param name="Labels">At most one a key, in the order of the rules' keys.</param>
public sealed record BusinessLabels(IReadOnlyList<BusinessLabel> Labels)
{
    public static BusinessLabels None { get; } = new([]);

    /// <summary>The label with this key, or null.</summary>
    public BusinessLabel? this[string key] => Labels.FirstOrDefault(label => label.Key == key);
}
