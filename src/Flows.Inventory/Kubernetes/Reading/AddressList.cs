using System.Text.Json;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads arrays of addresses.</summary>
internal static class AddressList
{
    /// <summary>Reads an array of objects that each hold an address under this name, and adds those that are new.</summary>
    public static void Read(ref Utf8JsonReader json, ReadOnlySpan<byte> name, List<NetAddress> addresses)
    {
        if (!Cursor.EnterArray(ref json))
        {
            return;
        }

        while (Cursor.NextObject(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals(name))
                {
                    Add(addresses, Cursor.ReadText(ref json));
                }
                else
                {
                    json.Skip();
                }
            }
        }
    }

    /// <summary>Reads an array of addresses as text, and adds those that are new.</summary>
    public static void ReadTexts(ref Utf8JsonReader json, List<NetAddress> addresses)
    {
        if (!Cursor.EnterArray(ref json))
        {
            return;
        }

        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            Add(addresses, Cursor.Text(ref json));
        }
    }

    /// <summary>Adds an address that is new; "None" and empty text are no address.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static void Add(List<NetAddress> addresses, string text)
    {
        if (text != "None" && Cursor.Address(text) is { } address && !addresses.Contains(address))
        {
            addresses.Add(address);
        }
    }
}
