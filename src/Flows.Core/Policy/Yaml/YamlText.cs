using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flows.Core.Policy;

/// <summary>
/// Documents written in YAML 1.1, which holds nearly all of JSON. A tree is made of the parser's events at once: the library's own trees take three times as long,
/// and an alias in them can stand for a thousand nodes.
/// </summary>
internal static class YamlText
{
    /// <exception cref="PolicyFaultException">The text is no YAML, has aliases, repeats a key, or is nested more than <paramref name="depthMax"/> deep.</exception>
    public static IReadOnlyList<DocumentNode> Read(string file, string text, int depthMax)
    {
        try
        {
            List<DocumentNode> documents = [];
            var parser = new Parser(new StringReader(text));
            while (parser.MoveNext())
            {
                if (parser.Current is DocumentStart)
                {
                    parser.MoveNext();
                    documents.Add(new Tree(file, parser, depthMax).Read(depth: 0));
                }
            }

            return documents;
        }
        catch (YamlException fault)
        {
            throw new PolicyFaultException(file, fault.Start.Line, "", $"is not YAML or JSON: {fault.Message}");
        }
        catch (InvalidOperationException fault)
        {
            // The scanner's way to say so of a control character within a plain text.
            throw new PolicyFaultException(file, 1, "", $"is not YAML or JSON: a control character stands outside quotes ({fault.Message})");
        }
    }

    /// <summary>Makes nodes of events; each reads from the event that begins it to the one that ends it.</summary>
    private sealed class Tree(string file, Parser parser, int depthMax)
    {
        private const int FewKeys = 12;

        public DocumentNode Read(int depth) => parser.Current switch
        {
            YamlDotNet.Core.Events.Scalar scalar => new ScalarNode(scalar.Start.Line, scalar.Value, scalar.Style == ScalarStyle.Plain),
            AnchorAlias alias => throw new PolicyFaultException(file, alias.Start.Line, "", $"has the alias *{alias.Value}, which is not read; write out what it stands for"),
            var start when depth >= depthMax => throw new PolicyFaultException(file, start!.Start.Line, "", $"is nested more than {depthMax} deep, which no policy is"),
            SequenceStart start => List(start.Start.Line, depth),
            MappingStart start => Object(start.Start.Line, depth),
            var other => throw new System.Diagnostics.UnreachableException($"{other} begins no node."),
        };

        private ListNode List(long line, int depth)
        {
            List<DocumentNode> items = [];
            while (parser.MoveNext() && parser.Current is not SequenceEnd)
            {
                items.Add(Read(depth + 1));
            }

            return new ListNode(line, items);
        }

        private ObjectNode Object(long line, int depth)
        {
            List<KeyValuePair<DocumentNode, DocumentNode>> entries = [];
            HashSet<string>? names = null;
            while (parser.MoveNext() && parser.Current is not MappingEnd)
            {
                var key = Read(depth + 1);

                // Objects with many keys are rare, and a set for each of the others would cost more than the tree.
                names ??= entries.Count < FewKeys ? null : [.. entries.Select(entry => entry.Key.Scalar).OfType<string>()];
                if (key.Scalar is { } name && (names is null ? entries.Exists(entry => entry.Key.Scalar == name) : !names.Add(name)))
                {
                    throw new PolicyFaultException(file, key.Line, "", $"is not YAML or JSON: duplicate key '{name}'");
                }

                parser.MoveNext();
                entries.Add(new(key, Read(depth + 1)));
            }

            return new ObjectNode(line, entries);
        }
    }
}
