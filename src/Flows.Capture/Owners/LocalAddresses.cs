using System.Collections.Frozen;
using Flows.Capture.Conntrack;
using Flows.Capture.Host;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>
/// The addresses of this network namespace's interfaces. Only what ends at one of them can have a socket here: on a router or a Kubernetes node
/// the rest is forwarded, and costs no look-up. Refreshed by its owner's thread; anyone may ask.
/// </summary>
internal sealed class LocalAddresses : IDisposable
{
    // A node with more is no node; beyond it an address is foreign.
    private const int AddressesMax = 65_536;

    private readonly KernelSocket? changes = KernelSocket.TryOpen(AddressMessage.Family, AddressMessage.Groups);
    private readonly KernelSocket? questions = KernelSocket.TryOpen(AddressMessage.Family);
    private readonly HashSet<NetAddress> found = [];
    private readonly KernelAnswer onChange;
    private readonly KernelAnswer onAnswer;
    private FrozenSet<NetAddress> known = FrozenSet<NetAddress>.Empty;
    private bool stale = true;
    private bool done;

    public LocalAddresses()
    {
        onChange = (scoped in NetlinkReader message) => stale |= message.Type is AddressMessage.New or AddressMessage.Deleted;
        onAnswer = OnAnswer;
        Refresh();
    }

    public int Count => known.Count;

    public bool Contains(NetAddress address) => IsLoopback(address) || Volatile.Read(ref known).Contains(address);

    /// <summary>Takes over what changed since the last call: a system call where nothing did.</summary>
    public void Refresh()
    {
        if (changes is null || questions is null)
        {
            return;
        }

        while (changes.TryReceive(onChange, out var lost))
        {
            stale |= lost;
        }

        if (stale)
        {
            stale = false;
            Dump();
        }
    }

    public void Dispose()
    {
        changes?.Dispose();
        questions?.Dispose();
    }

    /// <summary>127.0.0.0/8 is local as a whole, whatever is assigned.</summary>
    private static bool IsLoopback(NetAddress address) => address.IsV4 ? (address.Low & 0xFF00_0000) == 0x7F00_0000 : address is { High: 0, Low: 1 };

    private void Dump()
    {
        Span<byte> request = stackalloc byte[AddressMessage.DumpRequestLength];
        AddressMessage.WriteDumpRequest(request);
        found.Clear();
        done = false;
        if (!questions!.TrySend(request))
        {
            return;
        }

        while (!done && questions.TryReceive(onAnswer, out var lost))
        {
            done |= lost;
        }

        Volatile.Write(ref known, found.ToFrozenSet());
    }

    private void OnAnswer(scoped in NetlinkReader message)
    {
        if (message.Type is NlMsg.Done or NlMsg.Error)
        {
            done = true;
            return;
        }

        if (message.Type == AddressMessage.New && found.Count < AddressesMax && AddressMessage.TryRead(message.Payload, out var read))
        {
            found.Add(read.Address);
        }
    }
}
