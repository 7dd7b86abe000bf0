using System.Globalization;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Remembers over restarts until when this boot's connections of a network namespace are in rows, so that the next run does not count the beginning of
/// a connection again that an earlier one has reported. One line: boot, namespace, microseconds since the epoch. Without it, or with one of
/// another boot, everything found counts as begun, once.
/// </summary>
internal sealed class ConntrackMemory(string? path, string boot, string space)
{
    /// <summary>Until when an earlier run's rows tell what began; 0 when none did.</summary>
    public long Read()
    {
        if (path is null)
        {
            return 0;
        }

        try
        {
            var parts = File.ReadAllText(path).Split(' ');
            return parts.Length == 3 && parts[0] == boot && parts[1] == space
                && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var untilUs) ? untilUs : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    public void Write(long untilUs)
    {
        if (path is null)
        {
            return;
        }

        try
        {
            var fresh = path + ".new";
            File.WriteAllText(fresh, string.Create(CultureInfo.InvariantCulture, $"{boot} {space} {untilUs}"));
            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The disk of the spool is in trouble, which is said there. Here it costs that the next run counts some beginnings again.
        }
    }
}
