using System.Runtime.InteropServices;
using System.Text;
using Flows.Core;
using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

/// <summary>What a power cut must not undo: names in directories, and small files that are replaced whole.</summary>
internal static class DurableFiles
{
    private const int OpenReadOnlyDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC on Linux (asm-generic/fcntl.h).
    private const int OpenReadOnlyDirectoryArm = 0x4000 | 0x80000; // arm64 numbers O_DIRECTORY differently.
    private const int NoSpace = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT

    /// <summary>Makes created, renamed and deleted names of a directory durable.</summary>
    /// <exception cref="IOException">The directory cannot be synced.</exception>
    public static void SyncDirectory(string directory)
    {
        var arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
        var descriptor = Open(Encoding.UTF8.GetBytes(directory + '\0'), arm ? OpenReadOnlyDirectoryArm : OpenReadOnlyDirectory);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (handle.IsInvalid || Fsync(descriptor) != 0)
        {
            throw new IOException($"Cannot sync directory {directory}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    /// <summary>Replaces a file whole: after a crash it has the old bytes or the new ones.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".tmp";
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(temporary, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Holds a directory for this process until it is disposed; the kernel lets go when the process dies.</summary>
    /// <exception cref="FlowsException">Another process, or another log of this one, has the directory.</exception>
    public static FileStream Lock(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new FlowsException(ExitCode.Failed, $"Cannot write to {directory}; give this user write permission or name another directory.", fault);
        }
        catch (IOException fault)
        {
            throw new FlowsException(
                ExitCode.Failed, $"Cannot lock {directory} ({fault.Message}); if another flows process uses it, stop that one or name another directory.", fault);
        }
    }

    public static bool IsOutOfSpace(IOException fault) => (fault.HResult & 0xFFFF) is NoSpace or QuotaExceeded;

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);
}
