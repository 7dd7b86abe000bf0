namespace Flows.Transport.Intake;

/// <summary>What became of a batch that a collector sent.</summary>
public enum ReceiveOutcome
{
    /// <summary>Durable in the log.</summary>
    Stored,

    /// <summary>It was durable before; nothing is stored twice.</summary>
    Duplicate,

    /// <summary>Refused for good: the bytes are not a batch.</summary>
    Malformed,

    /// <summary>Refused for good: the batch speaks for another node or scope than its header.</summary>
    NodeMismatch,

    /// <summary>Refused for good: larger than a batch may be.</summary>
    TooLarge,

    /// <summary>Not now: too much is being received.</summary>
    Busy,

    /// <summary>Not now: the log is full, or its disk does not take writes.</summary>
    Unavailable,
}

/// <summary>The answer to a collector.</summary>
/// <param name="Reason">For a refusal, one sentence for the person who runs the collector.</param>
/// <param name="RetryAfter">For <see cref="ReceiveOutcome.Busy"/> and <see cref="ReceiveOutcome.Unavailable"/>, when to come back.</param>
public readonly record struct ReceiveResult(ReceiveOutcome Outcome, string Reason, TimeSpan? RetryAfter)
{
    /// <summary>The HTTP status that says it (RFC 9110; 429: RFC 6585).</summary>
    public int HttpStatus => Outcome switch
    {
        ReceiveOutcome.Stored or ReceiveOutcome.Duplicate => 200,
        ReceiveOutcome.Malformed => 400,
        ReceiveOutcome.TooLarge => 413,
        ReceiveOutcome.NodeMismatch => 422,
        ReceiveOutcome.Busy => 429,
        _ => 503,
    };
}
