using System.Buffers.Binary;

namespace Flows.Tests.Support;

/// <summary>
/// Makes hostile frames of sound ones: flipped bits, cuts, splices, lengths that lie, other protocols, packets within packets. It
/// allocates nothing, so that millions of frames a second are possible.
/// </summary>
internal sealed class FrameMutator(IReadOnlyList<CorpusFrame> corpus, int seed)
{
    private const int BytesMax = 2048;

    // Headers that announce one more layer; the bytes behind them decide what it is.
    private static readonly byte[][] Layers =
    [
        Convert.FromHexString("02000000000102000000000281000064"),
        Convert.FromHexString("0200000000010200000000028864110000010000"),
        Convert.FromHexString("020000000001020000000002884700010000"),
        Convert.FromHexString("0200000000010200000000020800" + "45000400000000004004000001020304" + "05060708"),
        Convert.FromHexString("0200000000010200000000020800" + "4500040000000000402F000001020304" + "05060708" + "00000800"),
        Convert.FromHexString("0200000000010200000000020800" + "4500040000002000402F000001020304" + "05060708" + "B0006558000000000000000000000000"),
        Convert.FromHexString("0200000000010200000000020800" + "45000400000000004011000001020304" + "05060708" + "C00012B5040000000800000000002A00"),
        Convert.FromHexString("0200000000010200000000020800" + "45000400000020004011000001020304" + "05060708" + "C00017C10400000001006558" + "00002A0000000000"),
        Convert.FromHexString("02000000000102000000000286DD" + "6000000004002940" + "FD000000000000000000000000000001" + "FD000000000000000000000000000002"),
        Convert.FromHexString("02000000000102000000000286DD" + "6000000004000040" + "FD000000000000000000000000000001" + "FD000000000000000000000000000002" + "3C00000000000000"),
    ];

    private static readonly byte[] Protocols = [0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135, 139, 140];
    private static readonly ushort[] Numbers = [0, 1, 0x0800, 0x86DD, 0x8100, 0x88A8, 0x6558, 4789, 8472, 6081, 20, 40, 0x7FFF, 0xFFFF];
    private static readonly int[] LinkTypes = [0, 9, 12, 50, 101, 104, 108, 113, 228, 229, 276, 127];

    private readonly byte[] buffer = new byte[BytesMax];
    private ulong state = ((ulong)(uint)seed * 0x9E37_79B9_7F4A_7C15) | 1;
    private int length;

    public int LinkType { get; private set; }

    public int WireLength { get; private set; }

    /// <summary>The next frame, valid until the one after it.</summary>
    public ReadOnlySpan<byte> Next()
    {
        var origin = corpus[Random(corpus.Count)];
        length = Math.Min(origin.Bytes.Length, BytesMax);
        origin.Bytes.AsSpan(0, length).CopyTo(buffer);
        LinkType = Random(16) == 0 ? LinkTypes[Random(LinkTypes.Length)] : origin.LinkType;
        for (var times = 1 + Random(4); times > 0; times--)
        {
            Mutate();
        }

        WireLength = Random(8) switch { 0 => (int)(uint)Random(), 1 => 0, _ => Math.Max(length, origin.WireLength) };
        return buffer.AsSpan(0, length);
    }

    private void Mutate()
    {
        if (length < 2)
        {
            Nest();
            return;
        }

        var at = Random(length);
        switch (Random(9))
        {
            case 0 or 1:
                buffer[at] ^= (byte)(1 << Random(8));
                break;
            case 2:
                buffer[at] = (byte)Random();
                break;
            case 3:
                buffer[at] = Protocols[Random(Protocols.Length)];
                break;
            case 4:
                BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(Math.Min(at, length - 2)), Numbers[Random(Numbers.Length)]);
                break;
            case 5:
                BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(Math.Min(at, length - 2)), (ushort)(length - Random(64)));
                break;
            case 6:
                length = at;
                break;
            case 7:
                Splice(at);
                break;
            default:
                Nest();
                break;
        }
    }

    /// <summary>From there on it is the end of another frame.</summary>
    private void Splice(int at)
    {
        var other = corpus[Random(corpus.Count)].Bytes;
        var from = Random(other.Length + 1);
        var count = Math.Min(other.Length - from, BytesMax - at);
        other.AsSpan(from, count).CopyTo(buffer.AsSpan(at));
        length = at + count;
    }

    /// <summary>The frame, or its IP packet, behind one more layer.</summary>
    private void Nest()
    {
        var layer = Layers[Random(Layers.Length)];
        var skip = Random(2) == 0 ? Math.Min(14, length) : 0;
        var count = Math.Min(length - skip, BytesMax - layer.Length);
        buffer.AsSpan(skip, count).CopyTo(buffer.AsSpan(layer.Length));
        layer.CopyTo(buffer, 0);
        length = layer.Length + count;
    }

    private int Random(int below) => (int)(((Random() >> 32) * (ulong)below) >> 32);

    /// <summary>xorshift64*.</summary>
    private ulong Random()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545_F491_4F6C_DD1D;
    }
}
