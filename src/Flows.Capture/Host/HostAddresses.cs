using Flows.Capture.Conntrack;
using Flows.Capture.Owners;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Capture.Host;

/// <summary>
/// The addresses of all interfaces of the network namespace in which it was opened, and since when each has been there, followed through rtnetlink's events.
/// Not thread safe.
/// </summary>
public sealed class HostAddresses : IDisposable
{
    private const int MillisecondsOfTick = 10;

    private readonly TimeProvider time;
    private readonly KernelSocket? changes = KernelSocket.TryOpen(AddressMessage.Family, AddressMessage.Groups);
    private readonly KernelSocket? questions = KernelSocket.TryOpen(AddressMessage.Family);
    private readonly Dictionary<NetAddress, long> found = [];
    private readonly KernelAnswer onChange;
    private readonly KernelAnswer onAnswer;
    private Dictionary<NetAddress, long> known = [];
    private bool stale = true;
    private bool done;

    public HostAddresses(TimeProvider time)
    {
        this.time = time;
        onChange = (scoped in NetlinkReader message) => stale |= message.Type is AddressMessage.New or AddressMessage.Deleted;
        onAnswer = OnAnswer;
    }

    /// <summary>False where the kernel does not let us ask.</summary>
    public bool Works => changes is not null && questions is not null;

    /// <summary>More addresses than a host is taken to have: those beyond are left out.</summary>
    public bool IsCut { get; private set; }

    /// <summary>As of the last look: without those that every machine has, in the order of the addresses.</summary>
    public IReadOnlyList<HostAddress> Current => [.. known.OrderBy(one => one.Key).Select(one => new HostAddress(one.Key.ToString(), one.Value))];

    /// <summary>Takes over what changed since the last look: a system call where nothing did. True where the addresses are others now.</summary>
    /// <param name="anyway">Ask for all of them even if no event came.</param>
    public bool Refresh(bool anyway = false)
    {
        if (!Works)
        {
            return false;
        }

        stale |= anyway;
        while (changes!.TryReceive(onChange, out var lost))
        {
            stale |= lost;
        }

        return stale && Dump();
    }

    public void Dispose()
    {
        changes?.Dispose();
        questions?.Dispose();
    }

    private bool Dump()
    {
        Span<byte> request = stackalloc byte[AddressMessage.DumpRequestLength];
        AddressMessage.WriteDumpRequest(request);
        found.Clear();
        (done, IsCut) = (false, false);
        if (!questions!.TrySend(request))
        {
            return false;
        }

        var lostSome = false;
        while (!done && questions.TryReceive(onAnswer, out var lost))
        {
            done |= lost;
            lostSome |= lost;
        }

        // Half an answer would be the end of every address in the other half.
        if (!done || lostSome)
        {
            return false;
        }

        stale = false;
        var changed = found.Count != known.Count || found.Keys.Any(address => !known.ContainsKey(address));

        // The time of creation is told in hundredths of seconds and computed back from now; the first computation stays.
        known = found.ToDictionary(one => one.Key, one => known.TryGetValue(one.Key, out var since) ? since : one.Value);
        return changed;
    }

    private void OnAnswer(scoped in NetlinkReader message)
    {
        if (message.Type is NlMsg.Done or NlMsg.Error)
        {
            done = true;
        }
        else if (message.Type == AddressMessage.New && AddressMessage.TryRead(message.Payload, out var read) && SharedAddresses.IsUniqueInScope(read.Address))
        {
            if (found.Count < HostFact.AddressesMax)
            {
                // Two interfaces may have the same address; it has been the host's since the first had it.
                var since = SinceUs(read.CreatedTicks, Environment.TickCount64, time.NowUs());
                found[read.Address] = found.TryGetValue(read.Address, out var other) ? Math.Min(other, since) : since;
            }
            else
            {
                IsCut = true;
            }
        }
    }

    /// <summary>When that was. The counter begins anew every 497 days: the latest possible time is taken. A host that slept since is younger than it seems.</summary>
    internal static long SinceUs(uint? createdTicks, long uptimeMilliseconds, long nowUs)
    {
        var age = createdTicks is { } created ? (uint)((uptimeMilliseconds / MillisecondsOfTick) - created) : 0;

        // The counters of both sides are rounded: an address of this very moment may seem to be of the next.
        const uint Ahead = uint.MaxValue - 1000;
        return age > Ahead ? nowUs : nowUs - (age * MillisecondsOfTick * 1000L);
    }
}
