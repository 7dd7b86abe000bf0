using Flows.Core;

namespace Flows.Capture.Doctor.Checks;

/// <summary>How findings put figures and lists.</summary>
internal static class Wording
{
    private const int NamedMax = 4;

    /// <summary>The first few names and how many more there are; names are strangers' text.</summary>
    public static string List(IReadOnlyList<string> names)
    {
        var shown = string.Join(", ", names.Take(NamedMax).Select(VisibleText.Of));
        return names.Count <= NamedMax ? shown : $"{shown} and {names.Count - NamedMax} more";
    }

    public static string Count(long count, string one, string many) => count == 1 ? $"1 {one}" : $"{count:N0} {many}";

    public static string MiB(long bytes) => bytes < 1 << 20 ? $"{bytes >> 10} KiB" : $"{bytes / (double)(1 << 20):0.#} MiB";

    /// <summary>The command that sets a kernel setting.</summary>
    public static string Sysctl(string name, object value) => $"sysctl -w {name}={value}";
}
