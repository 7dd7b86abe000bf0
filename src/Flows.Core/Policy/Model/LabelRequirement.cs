namespace Flows.Core.Policy;

/// <summary>How a requirement looks at a label. The first four are those that every label selector has.</summary>
public enum LabelOperator
{
    In,

    /// <summary>Also true where the key is absent, as are all that begin with Not.</summary>
    NotIn,
    Exists,
    DoesNotExist,
    Contains,
    NotContains,
    StartsWith,
    NotStartsWith,
    EndsWith,
    NotEndsWith,
}

/// <summary>One condition on one label.</summary>
/// <param name="Values">Any of them will do; with an operator that begins with Not, none of them may.</param>
public sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyList<string> Values)
{
    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        var present = labels.TryGetValue(Key, out var value);
        return Operator switch
        {
            LabelOperator.In => present && Values.Contains(value, StringComparer.Ordinal),
            LabelOperator.NotIn => !present || !Values.Contains(value, StringComparer.Ordinal),
            LabelOperator.Exists => present,
            LabelOperator.DoesNotExist => !present,
            LabelOperator.Contains => present && Values.Any(part => value!.Contains(part, StringComparison.Ordinal)),
            LabelOperator.NotContains => !present || !Values.Any(part => value!.Contains(part, StringComparison.Ordinal)),
            LabelOperator.StartsWith => present && Values.Any(part => value!.StartsWith(part, StringComparison.Ordinal)),
            LabelOperator.NotStartsWith => !present || !Values.Any(part => value!.StartsWith(part, StringComparison.Ordinal)),
            LabelOperator.EndsWith => present && Values.Any(part => value!.EndsWith(part, StringComparison.Ordinal)),
            LabelOperator.NotEndsWith => !present || !Values.Any(part => value!.EndsWith(part, StringComparison.Ordinal)),
            _ => throw new System.Diagnostics.UnreachableException($"{Operator} is no operator."),
        };
    }

    public override string ToString() => Operator switch
    {
        LabelOperator.In when Values.Count == 1 => $"{Key}={Values[0]}",
        LabelOperator.In => $"{Key} in ({string.Join(',', Values)})",
        LabelOperator.NotIn => $"{Key} notin ({string.Join(',', Values)})",
        LabelOperator.Exists => Key,
        LabelOperator.DoesNotExist => $"!{Key}",
        _ => $"{Key} {Word(Operator)} ({string.Join(',', Values)})",
    };

    private static string Word(LabelOperator of) => of switch
    {
        LabelOperator.Contains => "contains",
        LabelOperator.NotContains => "not contains",
        LabelOperator.StartsWith => "starts with",
        LabelOperator.NotStartsWith => "not starts with",
        LabelOperator.EndsWith => "ends with",
        _ => "not ends with",
    };
}
