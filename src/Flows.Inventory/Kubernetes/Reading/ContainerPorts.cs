using System.Globalization;
using System.Text.Json;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads the named ports of a pod's containers, in the form of <see cref="Core.Identity.Entity.Ports"/>.</summary>
internal static class ContainerPorts
{
    /// <summary>Adds those of one list of containers. A name should be the pod's only one; where it is not, the first container's counts.</summary>
    public static void Read(ref Utf8JsonReader json, TextPool pool, ref List<KeyValuePair<string, string>>? ports)
    {
        if (!Cursor.EnterArray(ref json))
        {
            return;
        }

        while (Cursor.NextObject(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("ports"u8))
                {
                    OfContainer(ref json, pool, ref ports);
                }
                else
                {
                    json.Skip();
                }
            }
        }
    }

    private static void OfContainer(ref Utf8JsonReader json, TextPool pool, ref List<KeyValuePair<string, string>>? ports)
    {
        if (!Cursor.EnterArray(ref json))
        {
            return;
        }

        while (Cursor.NextObject(ref json))
        {
            var (name, protocol, number) = ("", IpProtocol.Tcp, (ushort?)null);
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("name"u8))
                {
                    name = Cursor.ReadText(ref json);
                }
                else if (json.ValueTextEquals("protocol"u8))
                {
                    protocol = Cursor.Protocol(Cursor.ReadText(ref json));
                }
                else if (json.ValueTextEquals("containerPort"u8))
                {
                    number = Cursor.ReadPort(ref json);
                }
                else
                {
                    json.Skip();
                }
            }

            if (name.Length > 0 && number is > 0)
            {
                Add(ports ??= [], pool.Text($"{name}/{IpProtocol.NameOf(protocol)}"), pool.Text(number.Value.ToString(CultureInfo.InvariantCulture)));
            }
        }
    }

    private static void Add(List<KeyValuePair<string, string>> ports, string name, string number)
    {
        if (!ports.Exists(port => port.Key == name))
        {
            ports.Add(new(name, number));
        }
    }
}
