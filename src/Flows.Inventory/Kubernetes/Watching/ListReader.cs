using System.Text.Json;
using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>What a page of a list says about the list.</summary>
internal sealed record PageEnd(string ResourceVersion, string Continue);

/// <summary>Reads pages of lists as they arrive.</summary>
internal static class ListReader
{
    /// <summary>Reads one page and hands on each of its objects.</summary>
    /// <param name="frames">Cuts it; used page after page.</param>
    /// <param name="body">The answer's body.</param>
    /// <param name="item">Takes an object; the bytes are good until it returns.</param>
    /// <param name="quiet">Cancels when nothing comes; reset with every read.</param>
    /// <param name="limit">How long a silence may last.</param>
    /// <param name="cancellation">Follows <paramref name="quiet"/> and whatever else may end it.</param>
    /// <exception cref="InvalidDataException">It is no list, or not whole.</exception>
    public static async Task<PageEnd> ReadAsync(JsonFrames frames, Stream body, Action<ReadOnlySpan<byte>> item, CancellationTokenSource quiet, TimeSpan limit, CancellationToken cancellation)
    {
        var end = new PageEnd("", "");
        void Take(FrameKind kind, ReadOnlySpan<byte> utf8)
        {
            if (kind == FrameKind.Item)
            {
                item(utf8);
            }
            else
            {
                end = End(utf8);
            }
        }

        frames.Reset();
        do
        {
            quiet.CancelAfter(limit);
        }
        while (await frames.ReadAsync(body, Take, cancellation).ConfigureAwait(false));

        return end.ResourceVersion.Length > 0 ? end : throw new InvalidDataException("the answer is no list, or a list without a version");
    }

    private static PageEnd End(ReadOnlySpan<byte> utf8)
    {
        var (version, next) = ("", "");
        var json = new Utf8JsonReader(utf8);
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("resourceVersion"u8))
            {
                version = Cursor.ReadText(ref json);
            }
            else if (json.ValueTextEquals("continue"u8))
            {
                next = Cursor.ReadText(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        return new(version, next);
    }
}
