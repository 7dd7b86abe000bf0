using System.Runtime.InteropServices;

namespace Flows.Store;

/// <summary>Puts files on the disk for good: a name survives a power cut only after its directory was synced too.</summary>
internal static partial class Durable
{
    private const int ReadOnlyDirectory = 0x10000; // O_RDONLY | O_DIRECTORY of asm-generic/fcntl.h, the same on x64 and arm64 but for the flag's value, see Flags.
    private const int ReadOnlyDirectoryArm64 = 0x4000;

    private static int Flags => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ReadOnlyDirectoryArm64 : ReadOnlyDirectory;

    /// <summary>Syncs a file that another library wrote, and its directory.</summary>
    public static void Sync(string path)
    {
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Flush(flushToDisk: true);
        }

        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Replaces a file by one rename: a reader, or a start after a crash, sees the old content or the new.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var fresh = path + ".tmp";
        using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    public static void SyncDirectory(string directory)
    {
        var handle = Open(directory, Flags);
        if (handle < 0)
        {
            throw new IOException($"Cannot open {directory} to sync it: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            if (FSync(handle) != 0)
            {
                throw new IOException($"Cannot sync {directory}: {Marshal.GetLastPInvokeErrorMessage()}.");
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
