using System.Globalization;
using System.Runtime.InteropServices;
using Flows.Capture.Host;

namespace Flows.Capture.Rights;

/// <summary>
/// Gives up every right that a collector does not need, before it opens anything that speaks to strangers. Rights belong to threads, and
/// the runtime has started some before the first line of ours runs: so this thread gives up its own, then executes the same program with
/// the same arguments again. That ends all other threads, and what the new ones have comes from this one.
/// </summary>
public static unsafe class LeastRights
{
    // Holds the process id that executed itself: an execution that changed nothing must not be repeated for ever.
    private const string DoneMark = "FLOWS_RIGHTS_DROPPED";

    /// <summary>
    /// Returns in a process that has nothing but <paramref name="keep"/>, or less if it was started with less: who misses something is told by the
    /// source that needs it. The process may have been replaced by itself; its id stays.
    /// </summary>
    /// <returns>A sentence for the operator if something is not as it should be; else null.</returns>
    public static string? Keep(Capabilities keep)
    {
        var threads = OfAllThreads();
        if (threads.Count > 0 && threads.All(rights => rights.IsWithin(keep)))
        {
            // No core dumps, and no debugger of the same user: both would hand out what was seen.
            _ = RightsNative.Control(RightsNative.SetDumpable, 0, 0, 0, 0);
            return threads[0].Uid == 0
                ? $"running as root, with {CapabilityNames.Of(threads[0].Effective)} only; root still owns root's files: better start it as a user of its own (deploy/README.md)."
                : null;
        }

        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (Marshal.PtrToStringUTF8((nint)RightsNative.GetEnvironment(DoneMark)) == pid)
        {
            return "rights that are not needed could not all be given up; see CapEff and NoNewPrivs in /proc/PID/status.";
        }

        GiveUp(keep, threads.Count > 0 ? threads[0] : null);
        SelfExecution.Tell(DoneMark, pid);

        // A diagnostic port would let any process of the same user run code with our rights. A native executable has none.
        SelfExecution.Tell("DOTNET_EnableDiagnostics", "0", unlessSet: true);
        return $"rights that are not needed could not all be given up: executing itself again failed ({SelfExecution.Again()}).";
    }

    /// <summary>The rights of each thread of this process, the first one first; empty where /proc is not there.</summary>
    public static IReadOnlyList<ThreadRights> OfAllThreads()
    {
        try
        {
            return [.. Directory.EnumerateDirectories("/proc/self/task").Order(StringComparer.Ordinal).Select(Read).OfType<ThreadRights>()];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static ThreadRights? Read(string task)
    {
        try
        {
            return ThreadRights.Parse(File.ReadAllText(Path.Combine(task, "status")));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A thread that ended meanwhile has no rights.
            return null;
        }
    }

    /// <summary>Takes from the calling thread, and from whatever it executes. What cannot be taken shows in the check after the execution.</summary>
    private static void GiveUp(Capabilities keep, ThreadRights? has)
    {
        // 1. The bounding set first: that needs CAP_SETPCAP, which step 3 takes away.
        for (var bit = 0; bit < 64; bit++)
        {
            var one = (Capabilities)(1UL << bit);
            if (has is not null && (has.Bounding & ~keep & one) != 0)
            {
                _ = RightsNative.Control(RightsNative.BoundingDrop, (nuint)bit, 0, 0, 0);
            }
        }

        // 2. No executed file gives anything from here on.
        _ = RightsNative.Control(RightsNative.SetNoNewPrivileges, 1, 0, 0, 0);

        // 3. What is kept is inheritable, too: that is what ambient capabilities are made of.
        var kept = (has?.Permitted ?? Capabilities.None) & keep;
        var header = new RightsNative.CapabilityHeader { Version = RightsNative.CapabilityVersion };
        var words = stackalloc RightsNative.CapabilityWord[2];
        for (var word = 0; word < 2; word++)
        {
            var bits = (uint)((ulong)kept >> (32 * word));
            words[word] = new RightsNative.CapabilityWord { Effective = bits, Permitted = bits, Inheritable = bits };
        }

        _ = RightsNative.SetCapabilities(&header, words);

        // 4. Without these a user other than root would lose everything in the execution.
        _ = RightsNative.Control(RightsNative.Ambient, RightsNative.AmbientClearAll, 0, 0, 0);
        for (var bit = 0; bit < 64; bit++)
        {
            if ((kept & (Capabilities)(1UL << bit)) != 0)
            {
                _ = RightsNative.Control(RightsNative.Ambient, RightsNative.AmbientRaise, (nuint)bit, 0, 0);
            }
        }
    }
}
