using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flows.Core;

/// <summary>
/// 64-bit identifiers that are the same on every machine, in every run and in SQL: the first eight bytes, big endian, of the
/// SHA-256 of the parts joined by U+001F. The store repeats the formula in its macro <c>stable_id</c>.
/// </summary>
public static class StableId
{
    /// <summary>The identifier of these parts, in this order. Never 0, which stands for "none".</summary>
    public static ulong Of(params ReadOnlySpan<string> parts)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f', parts)));
        var id = BinaryPrimitives.ReadUInt64BigEndian(digest);
        return id == 0 ? 1 : id;
    }

    /// <summary>A number as a part: decimal, whatever the culture.</summary>
    public static string Part(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The <c>node_id</c> of a node's name.</summary>
    public static ulong OfNode(string node) => Of("node", node);

    /// <summary>The <c>scope_id</c> of an address scope's name.</summary>
    public static ulong OfScope(string scope) => Of("scope", scope);
}
