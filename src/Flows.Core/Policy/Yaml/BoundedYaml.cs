using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flows.Core.Policy;

/// <summary>
/// The events of a text. Building a tree of them recurses, and an alias can stand for a thousand others: both are refused while the text is still
/// only events.
/// </summary>
internal sealed class BoundedYaml(string file, string text, int depthMax) : IParser
{
    private readonly Parser parser = new(new StringReader(text));
    private int depth;

    public ParsingEvent? Current => parser.Current;

    /// <exception cref="PolicyFaultException">The next event is one of these.</exception>
    public bool MoveNext()
    {
        if (!parser.MoveNext())
        {
            return false;
        }

        depth += parser.Current!.NestingIncrease;
        return depth > depthMax ? throw new PolicyFaultException(file, parser.Current.Start.Line, "", $"is nested more than {depthMax} deep, which no policy is")
            : parser.Current is AnchorAlias alias
            ? throw new PolicyFaultException(file, alias.Start.Line, "", $"has the alias *{alias.Value}, which is not read; write out what it stands for")
            : true;
    }
}
