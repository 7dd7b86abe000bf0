using CsCheck;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Store;
using Xunit;

namespace Flows.Tests.Store;

public sealed class MacrosTests
{
    /// <summary>Addresses with runs of zero groups, which RFC 5952 shortens, and with the prefixes that embed IPv4.</summary>
    private static readonly Gen<NetAddress> Addresses = Gen.OneOf(
        Gen.ULong.Select(Gen.ULong, (high, low) => new NetAddress(high, low)),
        Gen.UInt.Select(NetAddress.FromV4),
        Gen.OneOf(Gen.Const((ushort)0), Gen.Const((ushort)1), Gen.UShort).Array[8].Select(FromGroups),
        Gen.OneOf(Gen.Const((ushort)0), Gen.Const((ushort)0xFFFF), Gen.Const((ushort)0x5EFE), Gen.UShort).Array[4].Select(low => FromGroups([0, 0, 0, 0, .. low])));

    [Fact]
    public void Address_text_equals_the_program_s()
    {
        using var engine = Engine.Start(256, 1, null);
        Addresses.Array[50].Sample(
            addresses =>
            {
                var values = string.Join(", ", addresses.Select((address, i) => $"({i}, unhex('{Convert.ToHexString(address.ToBytes())}'))"));
                var texts = engine.Read($"SELECT addr(b), ip(addr(b)) = b FROM (VALUES {values}) t(i, b) ORDER BY i", row => (Text: row.GetString(0), Same: row.GetBoolean(1)));
                for (var i = 0; i < addresses.Length; i++)
                {
                    Assert.Equal(addresses[i].ToString(), texts[i].Text);
                    Assert.True(texts[i].Same, texts[i].Text);
                }
            },
            iter: 40);
    }

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("2001:0DB8:0:0:1:0:0:1")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::192.0.2.33")]
    [InlineData("255.255.255.255")]
    [InlineData("0.0.0.0")]
    public void Text_is_read_as_the_program_reads_it(string text)
    {
        using var engine = Engine.Start(256, 1, null);
        Assert.Equal(Convert.ToHexString(NetAddress.Parse(text).ToBytes()), engine.Read($"SELECT hex(ip('{text}'))", row => row.GetString(0)).Single());
    }

    [Theory]
    [InlineData("10.1")]
    [InlineData("10.0.0.256")]
    [InlineData("1::2::3")]
    [InlineData("12345::")]
    [InlineData("fe80::1%eth0")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("")]
    [InlineData("pod")]
    public void Text_that_is_no_address_is_an_error(string text)
    {
        Assert.False(NetAddress.TryParse(text, out _));
        using var engine = Engine.Start(256, 1, null);
        Assert.ThrowsAny<Exception>(() => engine.Read($"SELECT ip('{text}')", row => row.GetValue(0)));
    }

    [Theory]
    [InlineData("10.1.2.3", "10.0.0.0/8", true)]
    [InlineData("11.1.2.3", "10.0.0.0/8", false)]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.3/32", true)]
    [InlineData("10.1.2.3", "0.0.0.0/0", true)]
    [InlineData("10.1.2.3", "::/0", false)]
    [InlineData("2001:db8::5", "2001:db8::/32", true)]
    [InlineData("2001:db9::5", "2001:db8::/32", false)]
    [InlineData("2001:db8::5", "0.0.0.0/0", false)]
    public void Cidr_holds_what_it_should(string address, string cidr, bool within)
    {
        using var engine = Engine.Start(256, 1, null);
        Assert.Equal([within], engine.Read($"SELECT in_cidr('{address}', '{cidr}')", row => row.GetBoolean(0)));
        Assert.Equal([within], engine.Read($"SELECT in_cidr(ip('{address}'), '{cidr}')", row => row.GetBoolean(0)));
    }

    [Fact]
    public void Stable_id_equals_the_program_s()
    {
        using var engine = Engine.Start(256, 1, null);
        Assert.Equal([StableId.OfNode("node-ä")], engine.Read("SELECT stable_id('node', 'node-ä')", row => row.GetFieldValue<ulong>(0)));
        Assert.Equal([StableId.Of("a", "b", "c")], engine.Read("SELECT stable_id('a', 'b', 'c')", row => row.GetFieldValue<ulong>(0)));
    }

    private static NetAddress FromGroups(ushort[] groups)
    {
        var bytes = new byte[16];
        for (var i = 0; i < 8; i++)
        {
            bytes[2 * i] = (byte)(groups[i] >> 8);
            bytes[(2 * i) + 1] = (byte)groups[i];
        }

        return NetAddress.FromBytes(bytes);
    }
}
