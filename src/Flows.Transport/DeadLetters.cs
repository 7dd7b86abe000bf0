namespace Flows.Transport;

/// <summary>Batches that the server refuses for good, kept for a person to look at, up to a size.</summary>
internal sealed class DeadLetters(string directory, long bytesMax)
{
    /// <summary>Keeps the bytes, and the reason in a file beside them; does nothing when the directory is full or the disk refuses.</summary>
    public void Keep(string name, ReadOnlySpan<byte> bytes, string reason)
    {
        try
        {
            var kept = Directory.CreateDirectory(directory).EnumerateFiles().Sum(file => file.Length);
            if (kept + bytes.Length <= bytesMax)
            {
                File.WriteAllBytes(Path.Combine(directory, name), bytes);
                File.WriteAllText(Path.Combine(directory, name + ".reason"), reason + "\n");
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The loss is counted by the caller; the copy is a courtesy that must not stop the queue.
        }
    }
}
