using Flows.Core;
using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>How an inventory is read where its lines leave something open.</summary>
/// <param name="Scope">The address scope of lines that name none.</param>
/// <param name="NowUs">When the file is read: <c>learned_at</c> of lines that give none, and the latest that one may give.</param>
/// <param name="Origin">The origin that all lines of the file have; null where each has its own.</param>
public sealed record InventoryDefaults(string Scope, long NowUs, string? Origin = null);

/// <summary>
/// Reads an inventory: JSON Lines, or by the file's name CSV (.csv) or YAML (.yaml, .yml); one statement an entry, the keys being the columns of
/// <c>identities</c>. Every bad entry is reported with its place, the reason and the remedy, and costs no other.
/// </summary>
public static class InventoryFile
{
    /// <summary>A pod with 64 labels of the greatest length Kubernetes allows has 24 KiB; 64 KiB leaves room and bounds the buffer.</summary>
    public const int LineBytesMax = 64 * 1024;

    /// <summary>Ten years of a thousand pods that are replaced every four days; about 1 GiB when read.</summary>
    public const int LinesMax = 1_000_000;

    /// <summary>YAML is read slower than the others, and a fault in it costs the rest of the file; half a million short entries.</summary>
    public const int YamlBytesMax = 64 << 20;

    /// <summary>More than a person reads; further bad lines are only counted.</summary>
    public const int RejectedMax = 1000;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FlowsException">There is no such file, or it cannot be opened.</exception>
    public static InventoryReport Read(string path, InventoryDefaults defaults)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return Read(file, Path.GetFileName(path), defaults);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlowsException(ExitCode.Usage, $"There is no inventory file '{path}'; give the path of a JSON Lines, CSV or YAML file.", fault);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new FlowsException(ExitCode.Failed, $"The inventory file '{path}' cannot be read; it is a directory or needs more rights.", fault);
        }
    }

    /// <summary>Reads a stream to its end, or to its line number <see cref="LinesMax"/>; what is beyond is reported as one bad line.</summary>
    /// <param name="stream">Text in UTF-8; a byte order mark, blank lines and CRLF are fine. Not closed.</param>
    /// <param name="name">What to call it in reports; its extension tells the format.</param>
    /// <param name="defaults">What to take where a line leaves it open.</param>
    public static InventoryReport Read(Stream stream, string name, InventoryDefaults defaults)
    {
        var accepted = new List<IdentityInterval>();
        var saidAt = new Dictionary<(ulong Interval, long LearnedAtUs), (long Line, IdentityInterval Statement)>();
        var rejected = new List<RejectedLine>();
        var rejectedCount = 0L;
        string? completeFor = null;

        foreach (var entry in Entries(stream, name))
        {
            var fault = entry.Fault;
            IdentityInterval? statement = null;
            if (entry.Line > LinesMax)
            {
                fault = new($"an inventory has at most {LinesMax} lines", "split the file; this line and those after it were not read");
            }
            else if (entry.Comment is { } comment)
            {
                completeFor = FileClaim.Read(comment, out fault);
                defaults = defaults with { Origin = completeFor };
            }
            else if (fault is null)
            {
                statement = InventoryLine.Read(entry.Json, defaults, out fault);
            }

            if (statement is not null && !saidAt.TryAdd((statement.IntervalId, statement.LearnedAtUs), (entry.Line, statement)))
            {
                fault = Contradiction(saidAt[(statement.IntervalId, statement.LearnedAtUs)], statement);
            }
            else if (statement is not null)
            {
                accepted.Add(statement);
            }

            if (fault is not null && ++rejectedCount <= RejectedMax)
            {
                rejected.Add(new($"{name}:{entry.Line}", fault.Reason, fault.Remedy));
            }

            if (entry.Line > LinesMax)
            {
                break;
            }
        }

        return new(accepted, rejected, rejectedCount) { CompleteFor = completeFor };
    }

    private static IEnumerable<InventoryEntry> Entries(Stream stream, string name) => Path.GetExtension(name).ToUpperInvariant() switch
    {
        ".CSV" => CsvEntries.Read(new BoundedLines(stream, LineBytesMax)),
        ".YAML" or ".YML" => YamlEntries.Read(stream),
        _ => JsonLineEntries.Read(new BoundedLines(stream, LineBytesMax)),
    };

    /// <summary>Two lines about one interval, learned at one time: fine where they agree, else nobody could say which holds.</summary>
    private static InventoryFault? Contradiction((long Line, IdentityInterval Statement) earlier, IdentityInterval later) =>
        LedgerDelta.Of([earlier.Statement], [later]).Count == 0 ? null : new(
            $"line {earlier.Line} says something else about the same holder, address and valid_from",
            "keep one of them, or give the later correction a later learned_at");
}
