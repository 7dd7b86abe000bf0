using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Transport;

/// <summary>What travels beside a batch: its name, and the node and address scope in whose name it speaks.</summary>
/// <param name="ContentLength">Bytes of the body as announced; null where they were not.</param>
public sealed record BatchHeader(BatchId Id, string Node, string Scope, BatchKind Kind, long? ContentLength)
{
    public const string CollectorName = "Flows-Collector";
    public const string EpochName = "Flows-Epoch";
    public const string SequenceName = "Flows-Sequence";
    public const string NodeName = "Flows-Node";
    public const string ScopeName = "Flows-Scope";

    // A DNS name has at most 253 characters (RFC 1035 2.3.4); nodes are named by one.
    private const int NameCharactersMax = 253;

    /// <summary>Reads the headers of a request.</summary>
    /// <param name="header">The value of a header, or null where it is absent.</param>
    /// <param name="contentType">The request's content type, parameters included.</param>
    /// <param name="contentLength">The announced bytes of the body, where they are.</param>
    /// <param name="problem">What is wrong, when null is returned.</param>
    public static BatchHeader? TryParse(Func<string, string?> header, string? contentType, long? contentLength, out string problem)
    {
        problem = "";
        BatchKind? kind = contentType?.Split(';')[0].Trim().ToLowerInvariant() switch
        {
            FlowIpc.MediaType => BatchKind.Flows,
            TransportJson.MediaType => BatchKind.Account,
            _ => null,
        };
        if (kind is null)
        {
            problem = $"Content-Type must be {FlowIpc.MediaType} or {TransportJson.MediaType}";
        }
        else if (!Guid.TryParseExact(header(CollectorName), "N", out var collector) || collector == Guid.Empty)
        {
            problem = $"{CollectorName} must be 32 hexadecimal digits";
        }
        else if (!TryNumber(header(EpochName), out var epoch))
        {
            problem = $"{EpochName} must be a number";
        }
        else if (!TryNumber(header(SequenceName), out var sequence) || sequence == ulong.MaxValue)
        {
            problem = $"{SequenceName} must be a number";
        }
        else if (!TryName(header(NodeName), out var node))
        {
            problem = $"{NodeName} must be a percent-encoded name of 1 to {NameCharactersMax} characters without control characters";
        }
        else if (!TryName(header(ScopeName), out var scope))
        {
            problem = $"{ScopeName} must be a percent-encoded name of 1 to {NameCharactersMax} characters without control characters";
        }
        else
        {
            return new BatchHeader(new BatchId(collector, epoch, sequence), node, scope, kind.Value, contentLength);
        }

        return null;
    }

    /// <summary>True for a name that a node or a scope may have. U+001F in particular would let one name forge the hash of another.</summary>
    internal static bool IsName(string name) =>
        name.Length is > 0 and <= NameCharactersMax && !name.Any(c => char.IsControl(c) || char.IsSurrogate(c) || c == '\uFFFD');

    private static bool TryNumber(string? text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool TryName(string? text, out string name)
    {
        name = text is { Length: <= NameCharactersMax * 9 } ? Uri.UnescapeDataString(text) : "";
        return IsName(name);
    }
}
