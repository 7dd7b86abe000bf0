using Flows.Capture.Flow;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Names;

/// <summary>
/// Remembers which bindings were reported, so that a client which asks all the time is reported now and then. What it holds back is covered by what it
/// let through: a name that a client may still use by its TTL has a reported binding that ended at most <see cref="GraceUs"/> before.
/// </summary>
/// <remarks>
/// A fixed table of sets of eight; a newcomer to a full set replaces the binding that is soonest news again anyway, which costs a repeated report,
/// never a missing one. Bindings are told apart by 64 bits of a hash that is seeded per process: among 65,536 of them a newcomer is mistaken for a
/// known one once in 10^14.
/// </remarks>
internal sealed class NameCache
{
    /// <summary>Bindings remembered: some 200 names for each of 300 pods, 2 MiB; a power of two.</summary>
    public const int Places = 65_536;

    /// <summary>What the readers of bindings allow beyond a TTL.</summary>
    public const long GraceUs = NameFact.GraceSeconds * UnixTime.Second;

    /// <summary>No binding is reported more often, whatever its TTL.</summary>
    private const long QuietMinUs = 30 * UnixTime.Second;

    /// <summary>One that is asked for is reported at least this often.</summary>
    private const long QuietMaxUs = 300 * UnixTime.Second;

    /// <summary>Clocks of interfaces may differ, and threads take turns; what is older than this by more is another capture.</summary>
    private const long BackwardsMaxUs = 5 * UnixTime.Second;

    private const int Ways = 8;

    private readonly Place[] places = new Place[Places];
    private readonly ulong seed = unchecked((ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue));

    /// <summary>True where the binding is to be reported now; it is then taken as reported.</summary>
    public bool IsNews(in NetAddress client, ReadOnlySpan<byte> name, in NetAddress address, uint ttlSeconds, long seenUs)
    {
        var tag = TagOf(in client, name, in address);
        var set = places.AsSpan((int)(tag % (Places / Ways)) * Ways, Ways);
        var endsUs = seenUs + (ttlSeconds * UnixTime.Second);
        var soonest = 0;
        for (var way = 0; way < Ways; way++)
        {
            ref var place = ref set[way];
            if (place.Tag == tag)
            {
                var known = seenUs >= place.SeenUs - BackwardsMaxUs && seenUs < place.QuietUntilUs && endsUs <= place.EndsUs + GraceUs;
                if (!known)
                {
                    place = Of(tag, ttlSeconds, seenUs, endsUs);
                }

                return !known;
            }

            soonest = place.QuietUntilUs < set[soonest].QuietUntilUs ? way : soonest;
        }

        set[soonest] = Of(tag, ttlSeconds, seenUs, endsUs);
        return true;
    }

    private static Place Of(ulong tag, uint ttlSeconds, long seenUs, long endsUs) =>
        new() { Tag = tag, SeenUs = seenUs, EndsUs = endsUs, QuietUntilUs = seenUs + Math.Clamp(ttlSeconds * UnixTime.Second, QuietMinUs, QuietMaxUs) };

    /// <summary>Never 0, which marks an empty place.</summary>
    private ulong TagOf(in NetAddress client, ReadOnlySpan<byte> name, in NetAddress address)
    {
        var tag = Mix.Fold(seed ^ client.High, client.Low);
        tag = Mix.Fold(tag ^ address.High, address.Low);
        for (; name.Length >= sizeof(ulong); name = name[sizeof(ulong)..])
        {
            tag = Mix.Fold(tag, BitConverter.ToUInt64(name));
        }

        ulong rest = 0;
        foreach (var octet in name)
        {
            rest = (rest << 8) | octet;
        }

        tag = Mix.Fold(tag ^ (ulong)name.Length, rest);
        return tag == 0 ? 1 : tag;
    }

    private struct Place
    {
        public ulong Tag;
        public long SeenUs;
        public long EndsUs;
        public long QuietUntilUs;
    }
}
