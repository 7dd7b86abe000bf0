namespace Flows.Inventory.Kubernetes;

/// <summary>How one cluster is watched. The times are for tests and odd networks; nobody should need to set them.</summary>
public sealed record KubernetesOptions
{
    /// <summary>The cluster's name in the ledger. Part of every entity's id: renaming a cluster makes new entities.</summary>
    public required string Cluster { get; init; }

    /// <summary>The address scope in which the cluster's addresses are unique.</summary>
    public required string Scope { get; init; }

    /// <summary>Path of a kubeconfig, or several separated by colons; null for <c>$KUBECONFIG</c> or <c>~/.kube/config</c>. Not asked in a cluster.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>The context to take; null for the current one.</summary>
    public string? Context { get; init; }

    /// <summary>Use the service account that the pod was given, no kubeconfig.</summary>
    public bool InCluster { get; init; }

    /// <summary>Objects a page of a list. Default: 500, as kubectl.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>After how long the server is asked to end a watch; a tenth more at random, so that watches do not end together. Default: 300 s.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How much longer we wait before we end it ourselves. Default: 30 s.</summary>
    public TimeSpan WatchGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A watch on which nothing came for so long is taken up again on a new connection, which proves that the server still answers. Default:
    /// 45 s, so that with <see cref="AnswerTimeout"/> a silent server is known within a minute.
    /// </summary>
    public TimeSpan QuietLimit { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a watch may take to begin to answer, and a connection to be made. Default: 10 s.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a page of a list may take to begin, and be silent. The API server's own limit is 60 s. Default: 60 s.</summary>
    public TimeSpan ListTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Nothing heard for so long: what we know may be out of date. Default: 55 s.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(55);

    /// <summary>The first pause after a fault; it doubles with each one in a row. Half of it is random. Default: 1 s.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause. Default: 30 s.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long news are gathered before they are handed on together. Default: 200 ms.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Statements that may wait to be taken; when there are more, reading stops until they were, so nothing is ever lost. Default: 10,000,
    /// about 5 MiB: two pages of every resource at once.
    /// </summary>
    public int PendingMax { get; init; } = 10_000;
}
