using System.Text.Json;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads discovery.k8s.io/v1/EndpointSlice.</summary>
internal static class SliceReader
{
    private const string ServiceLabel = "kubernetes.io/service-name";

    public static KubeObject Read(ReadOnlySpan<byte> utf8, TextPool pool)
    {
        var json = new Utf8JsonReader(utf8);
        ObjectMeta? meta = null;
        var (isAddress, endpointsAt) = (true, -1);
        List<PortOfSlice> ports = [];
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                meta = MetaReader.Read(ref json, pool);
            }
            else if (json.ValueTextEquals("addressType"u8))
            {
                isAddress = Cursor.ReadText(ref json) != "FQDN";
            }
            else if (json.ValueTextEquals("ports"u8))
            {
                ports = Ports(ref json, pool);
            }
            else
            {
                // Endpoints can be read only when their type is known, which may come after them.
                endpointsAt = json.ValueTextEquals("endpoints"u8) ? (int)json.BytesConsumed : endpointsAt;
                json.Skip();
            }
        }

        meta = meta ?? throw new FormatException("the object has no metadata");
        return new SliceObject(meta)
        {
            Service = meta.Labels.TryGetValue(ServiceLabel, out var service) ? service : "",
            Endpoints = isAddress && endpointsAt >= 0 ? Endpoints(utf8[endpointsAt..]) : [],
            Ports = ports,
        };
    }

    private static List<PortOfSlice> Ports(ref Utf8JsonReader json, TextPool pool)
    {
        var ports = new List<PortOfSlice>(1);
        if (!Cursor.EnterArray(ref json))
        {
            return ports;
        }

        while (Cursor.NextObject(ref json))
        {
            var (protocol, number, name) = (IpProtocol.Tcp, default(ushort?), "");
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("port"u8))
                {
                    number = Cursor.ReadPort(ref json);
                }
                else if (json.ValueTextEquals("protocol"u8))
                {
                    protocol = Cursor.Protocol(Cursor.ReadText(ref json));
                }
                else if (json.ValueTextEquals("name"u8))
                {
                    json.Read();
                    name = pool.Text(ref json);
                }
                else
                {
                    json.Skip();
                }
            }

            if (number is { } port)
            {
                ports.Add(new(protocol, port, name));
            }
        }

        return ports;
    }

    /// <summary>Reads the array that stands somewhere after a colon.</summary>
    private static List<Endpoint> Endpoints(ReadOnlySpan<byte> rest)
    {
        // A value is a document of its own; what follows it is another one, which is never read.
        var json = new Utf8JsonReader(rest[FirstOf(rest)..], new JsonReaderOptions { AllowMultipleValues = true });
        var endpoints = new List<Endpoint>();
        if (!Cursor.EnterArray(ref json))
        {
            return endpoints;
        }

        var addresses = new List<NetAddress>(1);
        while (Cursor.NextObject(ref json))
        {
            addresses.Clear();
            var (target, ready, serving, terminating) = ("", default(bool?), default(bool?), default(bool?));
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("addresses"u8))
                {
                    AddressList.ReadTexts(ref json, addresses);
                }
                else if (json.ValueTextEquals("targetRef"u8))
                {
                    target = PodUid(ref json);
                }
                else if (json.ValueTextEquals("conditions"u8))
                {
                    (ready, serving, terminating) = Conditions(ref json);
                }
                else
                {
                    json.Skip();
                }
            }

            foreach (var address in addresses)
            {
                endpoints.Add(new(address, target, ready ?? true, serving ?? ready ?? true, terminating ?? false));
            }
        }

        return endpoints;
    }

    /// <summary>Where the value begins: the reader stood after the property's name, so at most a colon and blanks come first.</summary>
    private static int FirstOf(ReadOnlySpan<byte> rest)
    {
        var at = rest.IndexOfAnyExcept(": \t\r\n"u8);
        return at < 0 ? 0 : at;
    }

    private static string PodUid(ref Utf8JsonReader json)
    {
        var (kind, uid) = ("", "");
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("kind"u8))
                {
                    kind = Cursor.ReadText(ref json);
                }
                else if (json.ValueTextEquals("uid"u8))
                {
                    uid = Cursor.ReadText(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
        }

        return kind == "Pod" ? uid : "";
    }

    private static (bool? Ready, bool? Serving, bool? Terminating) Conditions(ref Utf8JsonReader json)
    {
        var (ready, serving, terminating) = (default(bool?), default(bool?), default(bool?));
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("ready"u8))
                {
                    ready = Cursor.ReadBool(ref json);
                }
                else if (json.ValueTextEquals("serving"u8))
                {
                    serving = Cursor.ReadBool(ref json);
                }
                else if (json.ValueTextEquals("terminating"u8))
                {
                    terminating = Cursor.ReadBool(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
        }

        return (ready, serving, terminating);
    }
}
