using System.Buffers.Binary;
using System.Text;

namespace Flows.Demo;

/// <summary>As much of DNS (RFC 1035 section 4.1) as the demo speaks: one question of class IN, type A, and its answer.</summary>
internal static class DnsMessage
{
    private const int HeaderBytes = 12;
    private const ushort TypeA = 1;
    private const ushort ClassIn = 1;

    /// <summary>A recursive query for the IPv4 address of a name.</summary>
    public static byte[] Query(ushort id, string name)
    {
        var message = new List<byte>();
        Append(message, id, 0x0100, 1, 0, 0, 0);
        foreach (var label in name.Split('.'))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        message.Add(0);
        Append(message, TypeA, ClassIn);
        return [.. message];
    }

    /// <summary>The answer to a query: the service's address, or NXDOMAIN (code 3) for any other name. Null if it is no query.</summary>
    public static byte[]? Answer(ReadOnlySpan<byte> query)
    {
        if (query.Length < HeaderBytes || (query[2] & 0x80) != 0 || ReadName(query) is not { } name || query.Length < name.End + 4)
        {
            return null;
        }

        var service = FleetPlan.Services.FirstOrDefault(known => name.Text == known.DnsName);
        var message = new List<byte>();
        Append(message, BinaryPrimitives.ReadUInt16BigEndian(query), (ushort)(service is null ? 0x8583 : 0x8580), 1, (ushort)(service is null ? 0 : 1), 0, 0);
        message.AddRange(query[HeaderBytes..(name.End + 4)]);
        if (service is not null)
        {
            // A pointer to the question's name, type, class, 5 s to live, four bytes of address.
            Append(message, 0xC000 | HeaderBytes, TypeA, ClassIn, 0, 5, 4);
            message.AddRange(System.Net.IPAddress.Parse(service.Address).GetAddressBytes());
        }

        return [.. message];
    }

    private static (string Text, int End)? ReadName(ReadOnlySpan<byte> message)
    {
        var labels = new List<string>();
        var at = HeaderBytes;
        while (at < message.Length && message[at] is > 0 and < 64 and var length)
        {
            if (at + 1 + length > message.Length)
            {
                return null;
            }

            labels.Add(Encoding.ASCII.GetString(message.Slice(at + 1, length)));
            at += 1 + length;
        }

        return at < message.Length && message[at] == 0 ? (string.Join('.', labels), at + 1) : null;
    }

    private static void Append(List<byte> message, params ReadOnlySpan<ushort> values)
    {
        foreach (var value in values)
        {
            message.Add((byte)(value >> 8));
            message.Add((byte)value);
        }
    }
}
