namespace Flows.Core.Policy;

/// <summary>One value of a document, whatever that is written in.</summary>
internal abstract class DocumentNode
{
    /// <summary>The line where it begins, from 1.</summary>
    public abstract long Line { get; }

    /// <summary>The entries of an object, in the order written; null for anything else.</summary>
    public virtual IEnumerable<KeyValuePair<DocumentNode, DocumentNode>>? Entries => null;

    /// <summary>The items of a list; null for anything else.</summary>
    public virtual IEnumerable<DocumentNode>? Items => null;

    /// <summary>A scalar as it is written, without quotes and escapes; null for an object or a list.</summary>
    /// <exception cref="FormatException">It is written in quotes, and what they hold is no Unicode text.</exception>
    public virtual string? Scalar => null;

    /// <summary>A scalar without quotes: a number, a word, or text that only the reader can tell from these.</summary>
    public virtual bool IsPlain => false;

    public virtual bool IsObject => false;

    public virtual bool IsList => false;

    /// <summary>The value under this key of an object; null where there is none.</summary>
    public abstract DocumentNode? Value(string key);
}
