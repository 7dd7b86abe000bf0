using System.Runtime.InteropServices;

namespace Flows.Capture.Conntrack;

/// <summary>Room for many event datagrams, filled by one system call. Lies outside the managed heap, for the kernel keeps pointers into it.</summary>
internal sealed unsafe class NetlinkVector : IDisposable
{
    public const int Length = 64;

    // An event is 100 to 400 bytes, with helper, labels and security context below 1 KB. The odd line keeps the buffers from sharing cache sets.
    private const int BufferBytes = 2048 + 64;

    private readonly byte* memory;

    public NetlinkVector()
    {
        const int SlotBytes = Length * 64;
        const int VectorBytes = Length * 16;
        memory = (byte*)NativeMemory.AllocZeroed(SlotBytes + VectorBytes + (Length * BufferBytes));
        Slots = (NetlinkNative.MessageSlot*)memory;
        var vectors = (NetlinkNative.IoVector*)(memory + SlotBytes);
        for (var i = 0; i < Length; i++)
        {
            vectors[i] = new() { Base = memory + SlotBytes + VectorBytes + (i * BufferBytes), Length = BufferBytes };
            Slots[i].Header.Vectors = vectors + i;
            Slots[i].Header.VectorCount = 1;
        }
    }

    public NetlinkNative.MessageSlot* Slots { get; }

    /// <summary>How many datagrams the last call brought.</summary>
    public int Count { get; set; }

    /// <summary>A datagram of the last call. One that was longer than its buffer is cut there, so its header lies about its length.</summary>
    public ReadOnlySpan<byte> this[int index] => new(Slots[index].Header.Vectors->Base, (int)Math.Min(Slots[index].Length, BufferBytes));

    public void Dispose() => NativeMemory.Free(memory);
}
