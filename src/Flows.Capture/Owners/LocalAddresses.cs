using System.Buffers.Binary;
using System.Collections.Frozen;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>
/// The addresses of this network namespace's interfaces. Only what ends at one of them can have a socket here: on a router or a Kubernetes node
/// the rest is forwarded, and costs no look-up. Refreshed by its owner's thread; anyone may ask.
/// </summary>
internal sealed class LocalAddresses : IDisposable
{
    private const int NetlinkRoute = 0;

    // linux/rtnetlink.h: RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR, RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR; linux/if_addr.h: IFA_ADDRESS, IFA_LOCAL.
    private const uint Groups = 0x10 | 0x100;
    private const ushort NewAddress = 20;
    private const ushort DeleteAddress = 21;
    private const ushort GetAddress = 22;
    private const ushort AttributeAddress = 1;
    private const ushort AttributeLocal = 2;
    private const int IfAddrLength = 8;

    // A node with more is no node; beyond it an address is foreign.
    private const int AddressesMax = 65_536;

    private readonly KernelSocket? changes = KernelSocket.TryOpen(NetlinkRoute, Groups);
    private readonly KernelSocket? questions = KernelSocket.TryOpen(NetlinkRoute);
    private readonly HashSet<NetAddress> found = [];
    private readonly KernelAnswer onChange;
    private readonly KernelAnswer onAnswer;
    private FrozenSet<NetAddress> known = FrozenSet<NetAddress>.Empty;
    private bool stale = true;
    private bool done;

    public LocalAddresses()
    {
        onChange = (scoped in NetlinkReader message) => stale |= message.Type is NewAddress or DeleteAddress;
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
        Span<byte> request = stackalloc byte[NlMsg.HeaderLength + IfAddrLength];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], GetAddress);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], NlMsg.FlagRequest | NlMsg.FlagDump);
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

        if (message.Type != NewAddress || message.Payload.Length < IfAddrLength || found.Count >= AddressesMax)
        {
            return;
        }

        // IFA_ADDRESS is the peer on a point-to-point link; IFA_LOCAL, where present, is ours.
        var attributes = new AttributeReader(message.Payload[IfAddrLength..]);
        NetAddress? ours = null;
        while (attributes.Next())
        {
            if (attributes.Value.Length is 4 or 16 && (attributes.Type == AttributeLocal || (attributes.Type == AttributeAddress && ours is null)))
            {
                ours = NetAddress.FromBytes(attributes.Value);
            }
        }

        if (ours is { } address)
        {
            found.Add(address);
        }
    }
}
