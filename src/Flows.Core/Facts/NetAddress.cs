using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Flows.Core.Facts;

/// <summary>
/// An IPv6 address, or an IPv4 address mapped into ::ffff:0:0/96 (RFC 4291 2.5.5.2), as 128 bits in network order.
/// Ordered like its 16 bytes, so C# and SQL sort alike.
/// </summary>
public readonly record struct NetAddress(ulong High, ulong Low) : IComparable<NetAddress>
{
    /// <summary>Bytes of the stored form.</summary>
    public const int Size = 16;

    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    /// <summary>True for an IPv4 address in its mapped form.</summary>
    public bool IsV4 => High == 0 && (Low & 0xFFFF_FFFF_0000_0000) == MappedPrefix;

    /// <summary>The IPv4 address whose 32 bits, host order, are given.</summary>
    public static NetAddress FromV4(uint address) => new(0, MappedPrefix | address);

    /// <summary>Reads 4 (IPv4) or 16 bytes in network order.</summary>
    /// <exception cref="ArgumentException">The span is neither 4 nor 16 bytes long.</exception>
    public static NetAddress FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        4 => FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        16 => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])),
        _ => throw new ArgumentException($"An address has 4 or 16 bytes, not {bytes.Length}.", nameof(bytes)),
    };

    /// <summary>Writes the 16 stored bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    /// <summary>The 16 stored bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }

    /// <summary>Reads dotted IPv4 or RFC 4291 IPv6 text, without zone or port. Shorthand such as <c>10.1</c> is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NetAddress address)
    {
        address = default;
        if (text is null || text.Contains('%') || text.Contains('[') || !IPAddress.TryParse(text, out var ip))
        {
            return false;
        }

        // .NET also reads 10.1, and 010.0.0.1 as octal: what a person meant by these is a guess.
        if (ip.AddressFamily == AddressFamily.InterNetwork && ip.ToString() != text)
        {
            return false;
        }

        address = FromIPAddress(ip);
        return true;
    }

    /// <summary>As <see cref="TryParse"/>, or an error that names the text.</summary>
    /// <exception cref="FlowsException">The text is no address.</exception>
    public static NetAddress Parse(string text) => TryParse(text, out var address)
        ? address
        : throw new FlowsException(ExitCode.Usage, $"'{text}' is not an IP address; write it like 10.0.0.1 or 2001:db8::1.");

    public static NetAddress FromIPAddress(IPAddress ip)
    {
        Span<byte> bytes = stackalloc byte[16];
        ip.TryWriteBytes(bytes, out var written);
        return FromBytes(bytes[..written]);
    }

    public IPAddress ToIPAddress() => IsV4 ? new IPAddress(ToBytes().AsSpan(12)) : new IPAddress(ToBytes());

    public int CompareTo(NetAddress other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    public static bool operator <(NetAddress left, NetAddress right) => left.CompareTo(right) < 0;

    public static bool operator >(NetAddress left, NetAddress right) => left.CompareTo(right) > 0;

    public static bool operator <=(NetAddress left, NetAddress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(NetAddress left, NetAddress right) => left.CompareTo(right) >= 0;

    /// <summary>Canonical text: dotted for IPv4, RFC 5952 for IPv6.</summary>
    public override string ToString() => ToIPAddress().ToString();
}
