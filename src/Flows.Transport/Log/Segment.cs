using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

/// <summary>Where a record lies in its segment.</summary>
internal readonly record struct RecordPlace(ulong Sequence, long Offset, int PayloadBytes);

/// <summary>One file of the log and the places of its readable records, in order. Not thread safe.</summary>
internal sealed class Segment(string path, ulong first)
{
    public const string Extension = ".log";

    private readonly List<RecordPlace> places = [];

    public string Path => path;

    /// <summary>The sequence in the file's name: no record in it is older.</summary>
    public ulong First => first;

    /// <summary>One past the newest readable record.</summary>
    public ulong End => places.Count == 0 ? first : places[^1].Sequence + 1;

    /// <summary>Bytes of the file that hold records.</summary>
    public long Bytes { get; set; }

    public IReadOnlyList<RecordPlace> Places => places;

    public static string NameOf(ulong first) => first.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    public static bool TryParseName(string path, out ulong first) =>
        ulong.TryParse(System.IO.Path.GetFileNameWithoutExtension(path), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out first);

    public void Add(RecordPlace place) => places.Add(place);

    /// <summary>Forgets the records from this sequence on: a newer segment holds them, or they never became durable.</summary>
    public void CutFrom(ulong sequence) => places.RemoveRange(IndexOf(sequence), places.Count - IndexOf(sequence));

    /// <summary>Index of the first record at or after the sequence.</summary>
    public int IndexOf(ulong sequence)
    {
        var (low, high) = (0, places.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = places[middle].Sequence < sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>Opens the file for reading beside its writer.</summary>
    public SafeFileHandle OpenRead() => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
