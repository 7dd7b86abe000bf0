using System.Globalization;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>
/// Walking an object that lies whole in memory. The pattern everywhere: <c>if (Enter) while (Next)</c> with one branch per known property,
/// each of which reads its whole value, and <c>Skip</c> for the rest. What is of the wrong type is a <see cref="FormatException"/>.
/// </summary>
internal static class Cursor
{
    /// <summary>Steps from a property (or the start) into its object; false where it is null.</summary>
    public static bool Enter(ref Utf8JsonReader json) => Into(ref json, JsonTokenType.StartObject, "an object");

    /// <summary>Steps from a property into its array; false where it is null.</summary>
    public static bool EnterArray(ref Utf8JsonReader json) => Into(ref json, JsonTokenType.StartArray, "an array");

    /// <summary>Steps to the next property of the object; false at its end.</summary>
    public static bool Next(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    /// <summary>Steps to the next object of the array; false at its end.</summary>
    public static bool NextObject(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.StartObject
            || (json.TokenType == JsonTokenType.EndArray ? false : throw new FormatException("an element of an array is no object"));
    }

    /// <summary>Steps from a property to its text; empty for null.</summary>
    public static string ReadText(ref Utf8JsonReader json)
    {
        json.Read();
        return Text(ref json);
    }

    public static string Text(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.String or JsonTokenType.PropertyName => json.GetString()!,
        JsonTokenType.Null => "",
        _ => throw new FormatException("a value is not the text it should be"),
    };

    /// <summary>Steps from a property to its boolean; null for null.</summary>
    public static bool? ReadBool(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Null => null,
            _ => throw new FormatException("a value is not the boolean it should be"),
        };
    }

    /// <summary>Steps from a property to its port number; null for null.</summary>
    public static ushort? ReadPort(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Null ? null
            : json.TokenType == JsonTokenType.Number && json.TryGetUInt16(out var port) ? port
            : throw new FormatException("a port is no number from 0 to 65535");
    }

    /// <summary>Steps from a property to its RFC 3339 time, in µs; null for null.</summary>
    public static long? ReadTime(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Null ? null
            : json.TokenType == JsonTokenType.String && json.TryGetDateTimeOffset(out var time) ? UnixTime.ToUs(time)
            : throw new FormatException("a time is not in RFC 3339 form");
    }

    /// <summary>Steps from a property to its address; null for null and for an empty text.</summary>
    public static NetAddress? ReadAddress(ref Utf8JsonReader json) => Address(ReadText(ref json));

    /// <summary>The address that the text says; null for an empty one.</summary>
    public static NetAddress? Address(string text) => text.Length == 0 ? null
        : NetAddress.TryParse(text, out var address) ? address
        : throw new FormatException($"'{Shown(text)}' is no address");

    /// <summary>IANA number of a protocol as the API writes it; the API's default is TCP.</summary>
    public static byte Protocol(string text) => text switch
    {
        "" or "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        _ => throw new FormatException($"'{Shown(text)}' is no protocol that the API knows"),
    };

    /// <summary>Steps to a number or text (IntOrString), as text.</summary>
    public static string ReadIntOrText(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number ? json.GetInt64().ToString(CultureInfo.InvariantCulture) : Text(ref json);
    }

    private static string Shown(string text) => text.Length <= 64 ? text : text[..64];

    private static bool Into(ref Utf8JsonReader json, JsonTokenType start, string what)
    {
        json.Read();
        return json.TokenType == start || (json.TokenType == JsonTokenType.Null ? false : throw new FormatException($"a value is not {what}"));
    }
}
