namespace Flows.Inventory.Kubernetes;

/// <summary>How the watch of one resource of one cluster goes.</summary>
public sealed record ResourceHealth
{
    public required string Cluster { get; init; }

    /// <summary>Its plural name, such as <c>pods</c>.</summary>
    public required string Resource { get; init; }

    /// <summary>A list was read to its end at least once.</summary>
    public bool Synced { get; init; }

    /// <summary>
    /// Since when nothing was heard, µs, where that is longer than <see cref="KubernetesOptions.StaleAfter"/>, or since when we try in vain; null while
    /// what we know is up to date. Nothing is closed because of it.
    /// </summary>
    public long? StaleSinceUs { get; init; }

    /// <summary>When the server last said anything, a bookmark too, µs; null if never.</summary>
    public long? LastHeardUs { get; init; }

    /// <summary>When the last change came, µs; null if none.</summary>
    public long? LastEventUs { get; init; }

    /// <summary>Objects known now.</summary>
    public long Objects { get; init; }

    /// <summary>Changes received.</summary>
    public long Events { get; init; }

    /// <summary>Lists read to their end; the first one is the sync, each further one a repair.</summary>
    public long Lists { get; init; }

    /// <summary>Watches begun.</summary>
    public long Watches { get; init; }

    /// <summary>Faults by reason, such as <c>http_403</c>, <c>expired</c>, <c>silent</c>, <c>connection</c>, <c>object</c>.</summary>
    public IReadOnlyDictionary<string, long> Errors { get; init; } = new Dictionary<string, long>();

    /// <summary>The last fault and what to do about it; empty if none, or once all is well again.</summary>
    public string LastError { get; init; } = "";

    /// <summary>The last object that could not be read, with the reason; empty if none.</summary>
    public string LastBadObject { get; init; } = "";
}
