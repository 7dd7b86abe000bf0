using System.Globalization;

namespace Flows.Capture.Doctor;

/// <summary>The files of a node under a root: the real one, or a tree that a test made. What is not there or not readable is null or empty.</summary>
/// <param name="root">Directory that stands for <c>/</c>.</param>
public sealed class NodeFiles(string root = "/")
{
    // Files of /proc are small, but some grow with the machine; more than this is not looked at.
    private const int BytesMax = 1 << 20;
    private const int NamesMax = 65_536;

    public string PathOf(string path) => Path.Combine(root, path);

    public bool Exists(string path) => Path.Exists(PathOf(path));

    /// <summary>The text without white space at its ends.</summary>
    public string? Text(string path)
    {
        try
        {
            // Files of /proc say that they are empty: read until the end.
            using var file = File.OpenRead(PathOf(path));
            var bytes = new byte[BytesMax];
            return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, BytesMax, throwOnEndOfStream: false)).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public IReadOnlyList<string> Lines(string path) => Text(path)?.Split('\n') ?? [];

    /// <summary>The first number in the file.</summary>
    public long? Number(string path) =>
        long.TryParse(Text(path)?.Split(' ', '\t', '\n')[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The names in a directory, in order.</summary>
    public IReadOnlyList<string> Names(string directory)
    {
        try
        {
            return [.. new DirectoryInfo(PathOf(directory)).EnumerateFileSystemInfos().Select(one => one.Name).Take(NamesMax).Order(StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Where a symbolic link points.</summary>
    public string? Link(string path)
    {
        try
        {
            return new FileInfo(PathOf(path)).LinkTarget;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
