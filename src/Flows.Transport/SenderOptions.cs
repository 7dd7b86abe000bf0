namespace Flows.Transport;

/// <summary>How a collector talks to its server.</summary>
public sealed record SenderOptions
{
    /// <summary>Where the server listens.</summary>
    public required ServerAddress Server { get; init; }

    /// <summary>How long one request may take. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the server may refuse a batch as bad before it is set aside. Default 3, since a middlebox can err too.</summary>
    public int RejectionsMax { get; init; } = 3;
}

/// <summary>How sending goes.</summary>
/// <param name="Acknowledged">Batches that the server acknowledged.</param>
/// <param name="Rejected">Batches set aside because the server refuses them for good.</param>
/// <param name="Failures">Attempts that failed.</param>
/// <param name="LastAcknowledgedUs">When the server last acknowledged, µs since the epoch; null before the first.</param>
/// <param name="Problem">What keeps the sender waiting now; null while all is well.</param>
public sealed record SenderStatus(long Acknowledged, long Rejected, long Failures, long? LastAcknowledgedUs, string? Problem);
