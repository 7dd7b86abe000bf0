namespace Flows.Transport.Intake;

/// <summary>Reads a request's body whole, up to a size.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 64 << 10;

    /// <summary>The body; null when it has more bytes than allowed. Memory grows with what has come, not with what was announced.</summary>
    public static async Task<byte[]?> ReadAsync(Stream body, int bytesMax, CancellationToken cancellation)
    {
        var bytes = new byte[Math.Min(FirstBytes, bytesMax + 1)];
        var length = 0;
        while (await body.ReadAsync(bytes.AsMemory(length), cancellation).ConfigureAwait(false) is var read and > 0)
        {
            length += read;
            if (length > bytesMax)
            {
                return null;
            }

            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, Math.Min(bytes.Length * 2, bytesMax + 1));
            }
        }

        Array.Resize(ref bytes, length);
        return bytes;
    }
}
