using System.Globalization;
using Flows.Capture.Doctor;
using Flows.Transport;

namespace Flows.Doctor;

/// <summary>Whether the spool's file system has room for all that the spool may hold, and may be written.</summary>
/// <param name="directory">Where a collector would keep its spool; need not exist yet.</param>
internal sealed class SpoolCheck(string directory) : Check("spool", "delivery")
{
    private static readonly SpoolOptions Options = new();

    private const string Hides = "not kept: flows that are seen while the server is away";

    public override Finding Look(NodeView node)
    {
        var nearest = directory;
        while (!Directory.Exists(nearest) && Path.GetDirectoryName(nearest) is { } parent)
        {
            nearest = parent;
        }

        if (!Writable.Directory(nearest))
        {
            return Fail($"{nearest} may not be written by this user", Hides, $"chown UID:GID {nearest}");
        }

        var wanted = Options.Log.BytesMax + Options.DeadBytesMax;
        var held = Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) : 0;
        var free = new DriveInfo(nearest).AvailableFreeSpace;
        var found = string.Create(CultureInfo.InvariantCulture, $"{free >> 20:N0} MiB are free at {nearest}, {held >> 20:N0} MiB are in the spool, which may grow to {wanted >> 20:N0} MiB");
        return free + held < wanted ? Warn(found, $"{Hides}, once the disk is full", $"df -h {nearest}") : Ok(found);
    }
}
