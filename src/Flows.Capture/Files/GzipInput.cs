using System.IO.Compression;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>
/// The bytes within a gzip file (RFC 1952), one member or several. Damage ends the bytes as the end of a file does, and is told by
/// <see cref="Fault"/>: whoever reads gets everything before it. That a file is cut short is only noticed with the runtime's strict
/// validation, which the build switches on (System.IO.Compression.UseStrictValidation).
/// </summary>
internal sealed class GzipInput : ForwardStream
{
    /// <summary>Bytes that tell a gzip file.</summary>
    public const int MagicBytes = 3;

    private readonly Source source;
    private readonly GZipStream gzip;

    /// <param name="compressed">Positioned at the first member; disposed with this.</param>
    public GzipInput(ReadBuffer compressed)
    {
        source = new Source(compressed);
        gzip = new GZipStream(source, CompressionMode.Decompress);
    }

    /// <summary>What is wrong with the compressed data, as the end of a sentence; null while nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>True for a file that begins as a gzip member does: identification and the one compression method there is.</summary>
    public static bool IsGzip(ReadOnlySpan<byte> start) => start is [0x1F, 0x8B, 8, ..];

    public override int Read(Span<byte> buffer)
    {
        if (Fault is not null)
        {
            return 0;
        }

        try
        {
            return gzip.Read(buffer);
        }
        catch (InvalidDataException)
        {
            Fault = source.HasEnded ? $"its compressed data is cut short or damaged at its end, byte {source.Taken}" : $"its compressed data is damaged before byte {source.Taken}";
            return 0;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            gzip.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>What was read to look at the file's beginning, and all that follows it.</summary>
    private sealed class Source(ReadBuffer compressed) : ForwardStream
    {
        public long Taken => compressed.Position;

        public bool HasEnded { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var taken = compressed.TakeSome(buffer.Length);
            taken.CopyTo(buffer);
            HasEnded |= taken.IsEmpty;
            return taken.Length;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                compressed.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
