using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Flows.Core.Policy;

/// <summary>Documents written in YAML 1.1, which holds nearly all of JSON: slow and exact about what is wrong.</summary>
internal static class YamlText
{
    /// <exception cref="PolicyFaultException">The text is no YAML, has aliases, or is nested more than <paramref name="depthMax"/> deep.</exception>
    public static IReadOnlyList<DocumentNode> Read(string file, string text, int depthMax)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new BoundedYaml(file, text, depthMax));
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

        return [.. stream.Documents.Select(document => new Node(document.RootNode))];
    }

    private sealed class Node(YamlNode node) : DocumentNode
    {
        public override long Line => node.Start.Line;

        public override IEnumerable<KeyValuePair<DocumentNode, DocumentNode>>? Entries =>
            (node as YamlMappingNode)?.Children.Select(entry => KeyValuePair.Create<DocumentNode, DocumentNode>(new Node(entry.Key), new Node(entry.Value)));

        public override IEnumerable<DocumentNode>? Items => (node as YamlSequenceNode)?.Children.Select(item => new Node(item));

        public override string? Scalar => node is YamlScalarNode scalar ? scalar.Value ?? "" : null;

        public override bool IsPlain => node is YamlScalarNode { Style: ScalarStyle.Plain };

        public override bool IsObject => node is YamlMappingNode;

        public override bool IsList => node is YamlSequenceNode;

        public override DocumentNode? Value(string key)
        {
            if (node is not YamlMappingNode map)
            {
                return null;
            }

            var found = map.Children.FirstOrDefault(entry => entry.Key is YamlScalarNode name && name.Value == key).Value;
            return found is null ? null : new Node(found);
        }
    }
}
