using System.Globalization;
using Flows.Core;

namespace Flows.Store;

/// <summary>Writes the immutable files of a store, durably, and removes those that no state names.</summary>
internal sealed class StoreFiles(string directory, Engine engine)
{
    /// <summary>Writes a query's rows to a file and syncs it. Null where there are none: an empty file would say nothing.</summary>
    /// <param name="path">Relative to the store.</param>
    /// <param name="query">The rows.</param>
    /// <param name="order">Columns to sort by: sorted neighbours compress, and time-ordered rows can be skipped.</param>
    /// <param name="time">The column whose bounds the manifest keeps; null for a table without time.</param>
    /// <param name="until">The column whose greatest value is the upper bound; <paramref name="time"/> unless given.</param>
    public StoreFile? Write(string path, string query, string order, string? time, string? until = null)
    {
        var (rows, min, max) = engine.Read(
            $"SELECT count(*), {(time is null ? "0, 0" : $"coalesce(epoch_us(min({time})), 0), coalesce(epoch_us(max({until ?? time})), 0)")} FROM ({query})",
            row => (row.GetInt64(0), Convert.ToInt64(row.GetValue(1), CultureInfo.InvariantCulture), Convert.ToInt64(row.GetValue(2), CultureInfo.InvariantCulture)))[0];
        if (rows == 0)
        {
            return null;
        }

        return Copy(path, query, order, rows, min, max);
    }

    /// <summary>Writes rows of which these are the number and the bounds, so that the query runs once. Without an order they stay as they come.</summary>
    public StoreFile Copy(string path, string query, string? order, long rows, long min, long max)
    {
        var full = Path.Combine(directory, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        engine.Execute($"COPY (SELECT * FROM ({query}){(order is null ? "" : $" ORDER BY {order}")}) TO {Engine.Text(full)} (FORMAT parquet, COMPRESSION zstd)");
        Durable.Sync(full);
        Durable.SyncDirectory(Path.GetDirectoryName(Path.GetDirectoryName(full)!)!);
        return new StoreFile(path, rows, min, max, new FileInfo(full).Length);
    }

    /// <summary>Removes what a crash left between writing files and naming them, and superseded files past their grace.</summary>
    /// <returns>The state without the removed files.</returns>
    public Manifest Sweep(Manifest manifest, long nowUs, TimeSpan grace, bool orphans)
    {
        var expired = manifest.Superseded.Where(file => file.SinceUs + (long)grace.TotalMicroseconds <= nowUs).ToList();
        expired.ForEach(file => File.Delete(Path.Combine(directory, file.Path)));
        var kept = manifest with { Superseded = [.. manifest.Superseded.Except(expired)] };
        if (orphans)
        {
            var named = kept.Tables.Values.SelectMany(files => files.Select(file => file.Path)).Concat(kept.Superseded.Select(file => file.Path)).ToHashSet(StringComparer.Ordinal);
            foreach (var path in StoreLayout.Tables.Select(table => Path.Combine(directory, table)).Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)).Where(path => !named.Contains(Path.GetRelativePath(directory, path))).ToList())
            {
                File.Delete(path);
            }
        }

        return kept;
    }

    /// <summary>Checks that every named file is there in its full size.</summary>
    /// <exception cref="FlowsException">One is not.</exception>
    public static void Check(string directory, Manifest manifest)
    {
        foreach (var file in manifest.Tables.Values.SelectMany(files => files))
        {
            var info = new FileInfo(Path.Combine(directory, file.Path));
            if (!info.Exists || info.Length != file.Bytes)
            {
                var fault = info.Exists ? $"has {info.Length} bytes instead of {file.Bytes}" : "is missing";
                throw new FlowsException(ExitCode.Failed, $"The store is damaged: {info.FullName} {fault}; put the file back from a copy.");
            }
        }
    }
}
