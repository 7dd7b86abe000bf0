namespace Flows.Core.Policy;

/// <summary>The words of the model in JSON, in one place for writer and reader.</summary>
internal static class ModelWords
{
    public static readonly (string Word, RuleAction Value)[] Actions = [("allow", RuleAction.Allow), ("deny", RuleAction.Deny), ("pass", RuleAction.Pass)];

    public static readonly (string Word, RulePurpose Value)[] Purposes = [("observed", RulePurpose.Observed), ("baseline", RulePurpose.Baseline)];

    public static readonly (string Word, Boundary Value)[] Boundaries =
        [("outside", Boundary.Outside), ("inside", Boundary.Inside), ("own_host", Boundary.OwnHost), ("other_hosts", Boundary.OtherHosts)];

    public static readonly (string Word, LabelOperator Value)[] Operators =
    [
        ("in", LabelOperator.In), ("not_in", LabelOperator.NotIn), ("exists", LabelOperator.Exists), ("does_not_exist", LabelOperator.DoesNotExist),
        ("contains", LabelOperator.Contains), ("not_contains", LabelOperator.NotContains), ("starts_with", LabelOperator.StartsWith),
        ("not_starts_with", LabelOperator.NotStartsWith), ("ends_with", LabelOperator.EndsWith), ("not_ends_with", LabelOperator.NotEndsWith),
    ];

    public static string Of<T>((string Word, T Value)[] words, T value) => words.First(one => EqualityComparer<T>.Default.Equals(one.Value, value)).Word;

    public static T Read<T>((string Word, T Value)[] words, YamlField field)
    {
        var text = field.Text();
        return words.Any(one => one.Word == text)
            ? words.First(one => one.Word == text).Value
            : throw field.Fault($"'{text}' is not {string.Join(", ", words.Select(one => one.Word))}");
    }
}
