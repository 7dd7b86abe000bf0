namespace Flows.Core.Policy;

/// <summary>A policy that cannot be taken as it stands: where, and why.</summary>
public sealed class PolicyFaultException : FlowsException
{
    public PolicyFaultException(string document, long line, string path, string what)
        : base(ExitCode.Usage, $"{document}, line {line}: {(path.Length == 0 ? "the document" : path)} {what}.")
    {
        (Document, Line, Path, What) = (document, line, path, what);
        All = [this];
    }

    /// <summary>File, and document where it holds several.</summary>
    public string Document { get; }

    public long Line { get; }

    /// <summary>The way to the field, such as <c>spec.ingress[0].ports[1].port</c>; empty for the document as a whole.</summary>
    public string Path { get; }

    /// <summary>What is wrong with the field, as the end of a sentence that begins with it.</summary>
    public string What { get; }

    /// <summary>Every fault of the same object, this one first.</summary>
    public IReadOnlyList<PolicyFaultException> All { get; private set; }

    internal PolicyFaultException With(IReadOnlyList<PolicyFaultException> all)
    {
        All = [.. all];
        return this;
    }
}
