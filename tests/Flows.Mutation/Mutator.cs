using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Flows.Mutation;

/// <summary>Finds the places of a file where one small fault can be put: operators, conditions, constants, returns, calls and statements.</summary>
internal sealed class Mutator(string file) : CSharpSyntaxWalker
{
    private static readonly Dictionary<SyntaxKind, string[]> Operators = new()
    {
        [SyntaxKind.EqualsEqualsToken] = ["!="],
        [SyntaxKind.ExclamationEqualsToken] = ["=="],
        [SyntaxKind.LessThanToken] = ["<=", ">="],
        [SyntaxKind.LessThanEqualsToken] = ["<", ">"],
        [SyntaxKind.GreaterThanToken] = [">=", "<="],
        [SyntaxKind.GreaterThanEqualsToken] = [">", "<"],
        [SyntaxKind.AmpersandAmpersandToken] = ["||"],
        [SyntaxKind.BarBarToken] = ["&&"],
        [SyntaxKind.PlusToken] = ["-"],
        [SyntaxKind.MinusToken] = ["+"],
        [SyntaxKind.AmpersandToken] = ["|"],
        [SyntaxKind.LessThanLessThanToken] = [">>"],
    };

    private static readonly Dictionary<string, string> Calls = new()
    {
        ["Any"] = "All",
        ["All"] = "Any",
        ["OrderBy"] = "OrderByDescending",
        ["ThenBy"] = "ThenByDescending",
        ["StartsWith"] = "EndsWith",
        ["EndsWith"] = "StartsWith",
        ["TryAdd"] = "Remove",
    };

    // What is text for people, or a relation that only the suggestion uses, is not the evaluator's.
    private static readonly string[] Foreign =
    [
        "ToString", "Shown", "Word", "GetHashCode", "Equals", "Covers", "TryParse", "Parse", "LeadingZero", "Halves", "CompareTo", "AllRules", "Pods", "Key", "Text", "Named", "Everything",
    ];

    public List<Mutant> Found { get; } = [];

    public override void VisitBinaryExpression(BinaryExpressionSyntax node)
    {
        if (Operators.TryGetValue(node.OperatorToken.Kind(), out var others))
        {
            foreach (var other in others)
            {
                Add(node, $"{node.Left} {other} {node.Right}");
            }
        }
        else if (node.IsKind(SyntaxKind.CoalesceExpression))
        {
            Add(node, node.Right.ToString());
        }

        base.VisitBinaryExpression(node);
    }

    public override void VisitPrefixUnaryExpression(PrefixUnaryExpressionSyntax node)
    {
        if (node.IsKind(SyntaxKind.LogicalNotExpression))
        {
            Add(node, node.Operand.ToString());
        }

        base.VisitPrefixUnaryExpression(node);
    }

    public override void VisitIfStatement(IfStatementSyntax node)
    {
        Add(node.Condition, $"!({node.Condition})");
        base.VisitIfStatement(node);
    }

    public override void VisitConditionalExpression(ConditionalExpressionSyntax node)
    {
        Add(node, $"{node.Condition} ? {node.WhenFalse} : {node.WhenTrue}");
        base.VisitConditionalExpression(node);
    }

    public override void VisitReturnStatement(ReturnStatementSyntax node)
    {
        if (node.Expression is { } value)
        {
            Add(value, $"!({value})");
        }

        base.VisitReturnStatement(node);
    }

    public override void VisitArrowExpressionClause(ArrowExpressionClauseSyntax node)
    {
        Add(node.Expression, $"!({node.Expression})");
        base.VisitArrowExpressionClause(node);
    }

    public override void VisitSwitchExpressionArm(SwitchExpressionArmSyntax node)
    {
        if (node.Expression is not ThrowExpressionSyntax)
        {
            Add(node.Expression, $"!({node.Expression})");
            Add(node.Expression, "default");
        }

        base.VisitSwitchExpressionArm(node);
    }

    public override void VisitIsPatternExpression(IsPatternExpressionSyntax node)
    {
        Add(node, node.Pattern is UnaryPatternSyntax { Pattern: var pattern } ? $"{node.Expression} is {pattern}" : $"!({node})");
        if (node.Pattern is BinaryPatternSyntax either)
        {
            Add(node.Pattern, either.Left.ToString());
            Add(node.Pattern, either.Right.ToString());
        }

        base.VisitIsPatternExpression(node);
    }

    public override void VisitLiteralExpression(LiteralExpressionSyntax node)
    {
        switch (node.Kind())
        {
            case SyntaxKind.TrueLiteralExpression:
                Add(node, "false");
                break;
            case SyntaxKind.FalseLiteralExpression:
                Add(node, "true");
                break;
            case SyntaxKind.NumericLiteralExpression when node.Token.Value is int number:
                Add(node, (number + 1).ToString(CultureInfo.InvariantCulture));
                break;
        }

        base.VisitLiteralExpression(node);
    }

    public override void VisitMemberAccessExpression(MemberAccessExpressionSyntax node)
    {
        if (Calls.TryGetValue(node.Name.Identifier.Text, out var other))
        {
            Add(node.Name, other);
        }

        base.VisitMemberAccessExpression(node);
    }

    public override void VisitExpressionStatement(ExpressionStatementSyntax node)
    {
        Add(node, ";");
        base.VisitExpressionStatement(node);
    }

    public override void VisitBreakStatement(BreakStatementSyntax node)
    {
        Add(node, ";");
        base.VisitBreakStatement(node);
    }

    public override void VisitContinueStatement(ContinueStatementSyntax node)
    {
        Add(node, ";");
        base.VisitContinueStatement(node);
    }

    public override void VisitMethodDeclaration(MethodDeclarationSyntax node)
    {
        if (!Foreign.Contains(node.Identifier.Text))
        {
            base.VisitMethodDeclaration(node);
        }
    }

    public override void VisitPropertyDeclaration(PropertyDeclarationSyntax node)
    {
        if (!Foreign.Contains(node.Identifier.Text))
        {
            base.VisitPropertyDeclaration(node);
        }
    }

    public override void VisitOperatorDeclaration(OperatorDeclarationSyntax node)
    {
    }

    private void Add(SyntaxNode at, string mutated) => Found.Add(Mutant.Of(file, at, mutated));
}
