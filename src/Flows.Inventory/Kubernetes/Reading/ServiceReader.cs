using System.Text.Json;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads v1/Service.</summary>
internal static class ServiceReader
{
    public static KubeObject Read(ReadOnlySpan<byte> utf8, TextPool pool)
    {
        var json = new Utf8JsonReader(utf8);
        var service = new ServiceObject(null!);
        var addresses = new List<NetAddress>(2);
        var externalName = false;
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                service = service with { Meta = MetaReader.Read(ref json, pool) };
            }
            else if (json.ValueTextEquals("spec"u8))
            {
                service = Spec(ref json, pool, service, addresses, ref externalName);
            }
            else if (json.ValueTextEquals("status"u8))
            {
                Status(ref json, addresses);
            }
            else
            {
                json.Skip();
            }
        }

        _ = service.Meta ?? throw new FormatException("the object has no metadata");

        // An external name may still carry addresses that it had as another type; the API says that they are ignored.
        return externalName || addresses.Count == 0
            ? service with { Json = DocumentReader.Trim(utf8, "v1", "Service") }
            : service with { Addresses = addresses };
    }

    private static ServiceObject Spec(ref Utf8JsonReader json, TextPool pool, ServiceObject service, List<NetAddress> addresses, ref bool externalName)
    {
        if (!Cursor.Enter(ref json))
        {
            return service;
        }

        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("clusterIP"u8))
            {
                AddressList.Add(addresses, Cursor.ReadText(ref json));
            }
            else if (json.ValueTextEquals("clusterIPs"u8) || json.ValueTextEquals("externalIPs"u8))
            {
                AddressList.ReadTexts(ref json, addresses);
            }
            else if (json.ValueTextEquals("selector"u8))
            {
                service = service with { Selector = pool.Labels(ref json) };
            }
            else if (json.ValueTextEquals("ports"u8))
            {
                service = service with { Ports = Ports(ref json, pool) };
            }
            else if (json.ValueTextEquals("type"u8))
            {
                externalName = Cursor.ReadText(ref json) == "ExternalName";
            }
            else
            {
                json.Skip();
            }
        }

        return service;
    }

    private static List<PortOfService> Ports(ref Utf8JsonReader json, TextPool pool)
    {
        var ports = new List<PortOfService>(1);
        if (!Cursor.EnterArray(ref json))
        {
            return ports;
        }

        while (Cursor.NextObject(ref json))
        {
            var port = new PortOfService(IpProtocol.Tcp, 0, "", "", 0);
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("port"u8))
                {
                    port = port with { Port = Cursor.ReadPort(ref json) ?? 0 };
                }
                else if (json.ValueTextEquals("protocol"u8))
                {
                    port = port with { Protocol = Cursor.Protocol(Cursor.ReadText(ref json)) };
                }
                else if (json.ValueTextEquals("name"u8))
                {
                    json.Read();
                    port = port with { Name = pool.Text(ref json) };
                }
                else if (json.ValueTextEquals("targetPort"u8))
                {
                    port = port with { TargetPort = Cursor.ReadIntOrText(ref json) };
                }
                else if (json.ValueTextEquals("nodePort"u8))
                {
                    port = port with { NodePort = Cursor.ReadPort(ref json) ?? 0 };
                }
                else
                {
                    json.Skip();
                }
            }

            ports.Add(port);
        }

        return ports;
    }

    private static void Status(ref Utf8JsonReader json, List<NetAddress> addresses)
    {
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        while (Cursor.Next(ref json))
        {
            if (!json.ValueTextEquals("loadBalancer"u8) || !Cursor.Enter(ref json))
            {
                json.Skip();
                continue;
            }

            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("ingress"u8))
                {
                    AddressList.Read(ref json, "ip"u8, addresses);
                }
                else
                {
                    json.Skip();
                }
            }
        }
    }
}
