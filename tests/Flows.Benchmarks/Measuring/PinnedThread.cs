using Flows.KernelCluster;

namespace Flows.Benchmarks.Measuring;

/// <summary>Where something runs: on which core (null for any of them), and in which network namespace (null for this process's own).</summary>
internal sealed record Place(int? Core, string? Space = null)
{
    public static Place Anywhere { get; } = new(Core: null);
}

/// <summary>Runs code on a thread of its own at a place. Sockets that are opened and processes that are started there stay there.</summary>
internal static class PinnedThread
{
    public static T Run<T>(Place place, Func<T> act) => OwnThread.Run(() => Enter(place), act);

    private static void Enter(Place place)
    {
        // On a machine with fewer cores the last one has to do.
        var mask = 1UL << Math.Min(place.Core ?? 0, Environment.ProcessorCount - 1);
        if (place.Core is not null && Native.SetAffinity(0, sizeof(ulong), ref mask) != 0)
        {
            throw BenchException.OfErrno($"pin a thread to core {place.Core}");
        }

        if (place.Space is not null)
        {
            using var file = File.OpenHandle($"/run/netns/{place.Space}");
            if (Native.SetNamespace(file, Native.CloneNewNet) != 0)
            {
                throw BenchException.OfErrno($"enter the network namespace {place.Space}");
            }
        }
    }
}
