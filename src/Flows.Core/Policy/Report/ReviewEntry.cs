namespace Flows.Core.Policy;

/// <summary>Something for review, as <c>review.json</c> tells it.</summary>
public sealed record ReviewEntry(
    ReviewReason Reason, string Src, string Dst, string Protocol, ushort? Port, long Connections, string? FirstSeen, string? LastSeen, IReadOnlyList<string> Nodes, string Detail)
{
    public static ReviewEntry Of(ReviewItem item) => new(
        item.Reason,
        item.Src,
        item.Dst,
        item.Protocol,
        item.Port,
        item.Connections,
        item.FirstSeenUs is { } first ? UnixTime.Text(first) : null,
        item.LastSeenUs is { } last ? UnixTime.Text(last) : null,
        item.Nodes,
        item.Detail);
}
