using System.Buffers.Binary;
using System.Text;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>Builds DNS messages (RFC 1035 4.1) record by record, right ones and wrong ones.</summary>
internal sealed class DnsWriter
{
    public const ushort A = 1, Ns = 2, Cname = 5, Aaaa = 28, Dname = 39, Https = 65;

    private readonly List<byte> message;
    private readonly Dictionary<string, int> places = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="question">The name asked for; the root when empty, no question when null.</param>
    public DnsWriter(string? question, ushort type = A, ushort flags = 0x8180, ushort @class = 1)
    {
        message = [0x12, 0x34, (byte)(flags >> 8), (byte)flags, 0, (byte)(question is null ? 0 : 1), 0, 0, 0, 0, 0, 0];
        if (question is not null)
        {
            Name(question);
            Short(type);
            Short(@class);
        }
    }

    /// <summary>Bytes so far, where the next record begins.</summary>
    public int Length => message.Count;

    public DnsWriter Address(string owner, string address, uint ttl = 60, int section = 0, ushort @class = 1)
    {
        var parsed = NetAddress.Parse(address);
        return Raw(owner, parsed.IsV4 ? A : Aaaa, ttl, parsed.IsV4 ? parsed.ToBytes()[12..] : parsed.ToBytes(), section, @class);
    }

    public DnsWriter Alias(string owner, string target, uint ttl = 60, ushort type = Cname)
    {
        Begin(owner, type, ttl, 0, 1);
        var length = message.Count;
        Short(0);
        Name(target);
        Put(length, (ushort)(message.Count - length - 2));
        return this;
    }

    public DnsWriter Raw(string owner, ushort type, uint ttl, byte[] data, int section = 0, ushort @class = 1)
    {
        Begin(owner, type, ttl, section, @class);
        Short((ushort)data.Length);
        message.AddRange(data);
        return this;
    }

    /// <summary>The record that EDNS (RFC 6891) adds.</summary>
    public DnsWriter Edns() => Raw("", 41, 0, [], section: 2, @class: 1232);

    /// <summary>Bytes as they are, for what no writer would write.</summary>
    public DnsWriter Bytes(params byte[] bytes)
    {
        message.AddRange(bytes);
        return this;
    }

    /// <summary>Counts a record more in a section: 0 answer, 1 authority, 2 additional.</summary>
    public DnsWriter Announce(int section = 0)
    {
        var at = 6 + (2 * section);
        Put(at, (ushort)(((message[at] << 8) | message[at + 1]) + 1));
        return this;
    }

    public byte[] Build() => [.. message];

    /// <summary>The message as it travels over TCP.</summary>
    public byte[] BuildWithLength() => [(byte)(message.Count >> 8), (byte)message.Count, .. message];

    private void Begin(string owner, ushort type, uint ttl, int section, ushort @class)
    {
        Announce(section);
        Name(owner);
        Short(type);
        Short(@class);
        Short((ushort)(ttl >> 16));
        Short((ushort)ttl);
    }

    /// <summary>Compressed as servers do: the longest end that was written before is a pointer.</summary>
    private void Name(string name)
    {
        while (name.Length > 0)
        {
            if (places.TryGetValue(name, out var place))
            {
                Short((ushort)(0xC000 | place));
                return;
            }

            places.TryAdd(name, message.Count);
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            var label = Encoding.Latin1.GetBytes(dot < 0 ? name : name[..dot]);
            message.Add((byte)label.Length);
            message.AddRange(label);
            name = dot < 0 ? "" : name[(dot + 1)..];
        }

        message.Add(0);
    }

    private void Short(ushort value)
    {
        message.Add((byte)(value >> 8));
        message.Add((byte)value);
    }

    private void Put(int at, ushort value)
    {
        message[at] = (byte)(value >> 8);
        message[at + 1] = (byte)value;
    }
}
