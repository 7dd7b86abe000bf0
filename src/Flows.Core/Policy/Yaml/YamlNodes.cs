namespace Flows.Core.Policy;

/// <summary>A scalar of a YAML document.</summary>
/// <param name="isPlain">It stands without quotes.</param>
internal sealed class ScalarNode(long line, string scalar, bool isPlain) : DocumentNode
{
    public override long Line => line;

    public override string Scalar => scalar;

    public override bool IsPlain => isPlain;

    public override DocumentNode? Value(string key) => null;
}

/// <summary>A list of a YAML document.</summary>
internal sealed class ListNode(long line, List<DocumentNode> items) : DocumentNode
{
    public override long Line => line;

    public override IEnumerable<DocumentNode> Items => items;

    public override bool IsList => true;

    public override DocumentNode? Value(string key) => null;
}

/// <summary>An object of a YAML document, whose keys differ.</summary>
internal sealed class ObjectNode(long line, List<KeyValuePair<DocumentNode, DocumentNode>> entries) : DocumentNode
{
    public override long Line => line;

    public override IEnumerable<KeyValuePair<DocumentNode, DocumentNode>> Entries => entries;

    public override bool IsObject => true;

    public override DocumentNode? Value(string key) => entries.Find(entry => entry.Key.Scalar == key).Value;
}
