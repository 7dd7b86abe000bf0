using Flows.Core.Facts;

namespace Flows.Inventory.Host;

/// <summary>The labels that a machine's administrator gave it, and what was wrong with them.</summary>
/// <param name="Labels">By key, sorted.</param>
/// <param name="Rejected">Lines that were not taken.</param>
public sealed record HostLabelReport(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<RejectedLine> Rejected);

/// <summary>
/// Reads <c>/etc/flows/labels</c>, then the files of <c>/etc/flows/labels.d</c> in the order of their names; a later file overrides an earlier one. A line is
/// <c>KEY=VALUE</c>; blank lines and those that begin with <c>#</c> say nothing; space around key and value does not count.
/// </summary>
public static class HostLabels
{
    private const int FilesMax = 64;
    private const int RejectedMax = 20;
    private const string Form = "write KEY=VALUE";

    public static HostLabelReport Read(string folder)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var rejected = new List<RejectedLine>();
        foreach (var file in Files(folder))
        {
            var own = new HashSet<string>(StringComparer.Ordinal);
            var number = 0;
            foreach (var line in HostFiles.Text(folder, file).Split('\n').Select(line => line.Trim()))
            {
                number++;
                if (line.Length > 0 && line[0] != '#' && Take(line, own, labels) is { } fault && rejected.Count < RejectedMax)
                {
                    rejected.Add(new($"{file}:{number}", fault.Reason, fault.Remedy));
                }
            }
        }

        return new(labels, rejected);
    }

    private static InventoryFault? Take(string line, HashSet<string> own, SortedDictionary<string, string> labels)
    {
        var split = line.IndexOf('=', StringComparison.Ordinal);
        if (split <= 0)
        {
            return new($"'{InventoryLine.Shown(line)}' has no key", Form);
        }

        var (key, value) = (line[..split].TrimEnd(), line[(split + 1)..].TrimStart());
        InventoryFault? fault = key.Length is 0 or > HostFact.LabelKeyMax ? new($"the key is empty or longer than {HostFact.LabelKeyMax} characters", Form)
            : value.Length > HostFact.TextMax ? new($"the value of '{InventoryLine.Shown(key)}' is longer than {HostFact.TextMax} characters", "shorten it")
            : line.AsSpan().ContainsAny('\0', '\u001f') ? new("the line holds the character U+0000 or U+001F", "remove it")
            : key.StartsWith(HostFact.FactPrefix, StringComparison.Ordinal)
                ? new($"'{InventoryLine.Shown(key)}' is what the machine says of itself", $"take a key that does not begin with {HostFact.FactPrefix}")
            : !own.Add(key) ? new($"'{InventoryLine.Shown(key)}' stands twice in this file", "keep one of them")
            : labels.Count >= HostFact.LabelsMax && !labels.ContainsKey(key) ? new($"a machine has at most {HostFact.LabelsMax} labels", "drop some")
            : null;
        if (fault is null)
        {
            labels[key] = value;
        }

        return fault;
    }

    private static List<string> Files(string folder)
    {
        const string File = "labels";
        const string Folder = "labels.d";
        List<string> files = Path.Exists(Path.Combine(folder, File)) ? [File] : [];
        try
        {
            files.AddRange(Directory.EnumerateFiles(Path.Combine(folder, Folder)).Select(path => Path.GetFileName(path))
                .Where(name => name[0] != '.' && !name.EndsWith('~')).Order(StringComparer.Ordinal).Take(FilesMax).Select(name => Path.Combine(Folder, name)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Most machines have none.
        }

        return files;
    }
}
