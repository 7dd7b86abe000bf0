namespace Flows.Capture.Names;

/// <summary>What became of one DNS message. All but <see cref="Answered"/> are reasons for which it gave no binding.</summary>
public enum DnsResult
{
    /// <summary>At least one address was reached from the question.</summary>
    Answered = 0,

    /// <summary>No response, no plain query, not one question, or not of class IN.</summary>
    NotAnAnswer,

    /// <summary>RCODE 3: there is no such name.</summary>
    NxDomain,

    /// <summary>Another RCODE than 0 and 3: the server could not or would not answer.</summary>
    Failed,

    /// <summary>A whole answer without an address that the question leads to: another type was asked for, or the name has none of this family.</summary>
    NoAddress,

    /// <summary>The capture, or the server by its TC bit, cut the message before the first address.</summary>
    Truncated,

    /// <summary>The bytes are no DNS message, or one that would take more steps than any sound one.</summary>
    Malformed,

    /// <summary>The question is longer than 253 characters once its odd bytes are escaped.</summary>
    NameTooLong,

    /// <summary>A part of a TCP stream that is missing, out of order, or not known to be the start of a message.</summary>
    TcpGap,
}

internal static class DnsResults
{
    /// <summary>The reason in the books.</summary>
    public static string Reason(this DnsResult result) => result switch
    {
        DnsResult.NotAnAnswer => "not_an_answer",
        DnsResult.NxDomain => "nxdomain",
        DnsResult.Failed => "failed",
        DnsResult.NoAddress => "no_address",
        DnsResult.Truncated => "truncated",
        DnsResult.Malformed => "malformed",
        DnsResult.NameTooLong => "name_too_long",
        DnsResult.TcpGap => "tcp_gap",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "It is no reason."),
    };
}
