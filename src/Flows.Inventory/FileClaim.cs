using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>
/// What a file's first line may say about the file: <c># flows: complete ORIGIN</c>. It lists then every holder that this origin knows, and the origin is the
/// file's own: no other file has it.
/// </summary>
internal static class FileClaim
{
    private const int OriginMax = 63;
    private const string Form = "write '# flows: complete ORIGIN', where ORIGIN names the export, such as cmdb-east";

    private static readonly string[] Taken = [Origins.Socket, Origins.Kubernetes, Origins.Host, Origins.File, Origins.Dns, Origins.Cidr];

    /// <summary>The origin; null for a comment that says nothing to us, or something wrong.</summary>
    public static string? Read(string comment, out InventoryFault? fault)
    {
        fault = null;
        var words = comment.TrimStart('#').Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is not ["flows:", ..])
        {
            return null;
        }

        fault = words is not ["flows:", "complete", var origin] ? new("what follows '# flows:' is not known", Form)
            : origin.Length > OriginMax || !origin.All(one => char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one) || one is '-' or '_' or '.')
                ? new($"'{InventoryLine.Shown(origin)}' is not an origin", "use at most 63 of a-z, 0-9, -, _ and .")
            : Taken.Contains(origin, StringComparer.Ordinal) ? new($"the origin '{origin}' is not a file's own", "name the export, such as cmdb-east")
            : null;
        return fault is null ? words[2] : null;
    }
}
