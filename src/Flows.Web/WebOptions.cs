namespace Flows.Web;

/// <summary>Where and how the server listens.</summary>
public sealed record WebOptions
{
    /// <summary>Each <c>ADDRESS:PORT</c> (port 0 takes a free one) or <c>unix:/path</c>.</summary>
    public required IReadOnlyList<string> Listen { get; init; }

    /// <summary>
    /// Allows addresses that other machines reach, although nobody is authenticated yet, and any Host header. Off unless given.
    /// </summary>
    public bool Insecure { get; init; }

    /// <summary>Largest request body of the ingest route, in bytes. 64 MiB: a batch of 100,000 rows is about 12 MB before compression.</summary>
    public long IngestBytesMax { get; init; } = 64L << 20;

    /// <summary>
    /// Questions that are answered at the same time; the store's reader answers one after the other, so more would only hold memory. 4 unless given.
    /// </summary>
    public int QuestionsMax { get; init; } = 4;

    /// <summary>Questions that may wait for their turn before the server answers 503. 32 unless given: about a dozen people with the page open.</summary>
    public int QuestionsWaitingMax { get; init; } = 32;

    /// <summary>Questions about policies that may wait, while one is answered, before the server answers 503. 16 unless given.</summary>
    public int PolicyQuestionsWaitingMax { get; init; } = 16;
}
