using System.Text.Json;
using Flows.Core.Identity;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads v1/Pod.</summary>
internal static class PodReader
{
    /// <summary>What the container statuses come to.</summary>
    private struct Containers
    {
        public int Main;
        public bool AnyAlive;
        public long? FinishedUs;
    }

    public static KubeObject Read(ReadOnlySpan<byte> utf8, TextPool pool)
    {
        var json = new Utf8JsonReader(utf8);
        var pod = new PodObject(new());
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                pod = pod with { Meta = MetaReader.Read(ref json, pool) };
            }
            else if (json.ValueTextEquals("spec"u8))
            {
                Spec(ref json, pool, pod);
            }
            else if (json.ValueTextEquals("status"u8))
            {
                Status(ref json, pool, pod);
            }
            else
            {
                json.Skip();
            }
        }

        return pod.Meta.Uid.Length > 0 ? pod : throw new FormatException("the object has no metadata");
    }

    private static void Spec(ref Utf8JsonReader json, TextPool pool, PodObject pod)
    {
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        List<KeyValuePair<string, string>>? ports = null;
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("nodeName"u8))
            {
                json.Read();
                pod.Node = pool.Text(ref json);
            }
            else if (json.ValueTextEquals("hostNetwork"u8))
            {
                pod.HostNetwork = Cursor.ReadBool(ref json) == true;
            }
            else if (json.ValueTextEquals("restartPolicy"u8))
            {
                json.Read();
                pod.RestartPolicy = pool.Text(ref json);
            }
            else if (json.ValueTextEquals("containers"u8) || json.ValueTextEquals("initContainers"u8))
            {
                ContainerPorts.Read(ref json, pool, ref ports);
            }
            else
            {
                json.Skip();
            }
        }

        pod.Ports = ports is null ? LabelDictionary.Empty : pool.Map(ports);
    }

    private static void Status(ref Utf8JsonReader json, TextPool pool, PodObject pod)
    {
        var addresses = new List<NetAddress>(2);
        var containers = default(Containers);
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("phase"u8))
            {
                json.Read();
                pod.Phase = pool.Text(ref json);
            }
            else if (json.ValueTextEquals("startTime"u8))
            {
                pod.StartedUs = Cursor.ReadTime(ref json);
            }
            else if (json.ValueTextEquals("conditions"u8))
            {
                pod.LastConditionUs = LastCondition(ref json);
            }
            else
            {
                AddressesAndContainers(ref json, addresses, ref containers);
            }
        }

        (pod.Addresses, pod.AllTerminated, pod.FinishedUs) = (addresses, containers is { Main: > 0, AnyAlive: false }, containers.FinishedUs);
    }

    private static void AddressesAndContainers(ref Utf8JsonReader json, List<NetAddress> addresses, ref Containers containers)
    {
        if (json.ValueTextEquals("podIP"u8))
        {
            Add(addresses, Cursor.ReadAddress(ref json));
        }
        else if (json.ValueTextEquals("podIPs"u8))
        {
            AddressList.Read(ref json, "ip"u8, addresses);
        }
        else if (json.ValueTextEquals("containerStatuses"u8))
        {
            Statuses(ref json, ref containers, main: true);
        }
        else if (json.ValueTextEquals("initContainerStatuses"u8) || json.ValueTextEquals("ephemeralContainerStatuses"u8))
        {
            // A sidecar is an init container that goes on running, and it may outlive the main ones.
            Statuses(ref json, ref containers, main: false);
        }
        else
        {
            json.Skip();
        }
    }

    private static void Add(List<NetAddress> addresses, NetAddress? address)
    {
        if (address is { } given && !addresses.Contains(given))
        {
            addresses.Add(given);
        }
    }

    private static void Statuses(ref Utf8JsonReader json, ref Containers containers, bool main)
    {
        if (!Cursor.EnterArray(ref json))
        {
            return;
        }

        while (Cursor.NextObject(ref json))
        {
            var terminated = false;
            var running = false;
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("state"u8))
                {
                    State(ref json, ref containers, ref running, ref terminated);
                }
                else
                {
                    json.Skip();
                }
            }

            containers.Main += main ? 1 : 0;

            // An init container that never ran waits for ever once the pod is over.
            containers.AnyAlive |= main ? !terminated : running;
        }
    }

    private static void State(ref Utf8JsonReader json, ref Containers containers, ref bool running, ref bool terminated)
    {
        if (!Cursor.Enter(ref json))
        {
            return;
        }

        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("terminated"u8))
            {
                terminated = true;
                var at = OneTime(ref json, "finishedAt"u8);
                containers.FinishedUs = at is null ? containers.FinishedUs : Math.Max(containers.FinishedUs ?? 0, at.Value);
            }
            else
            {
                running |= json.ValueTextEquals("running"u8);
                json.Skip();
            }
        }
    }

    private static long? LastCondition(ref Utf8JsonReader json)
    {
        long? last = null;
        if (Cursor.EnterArray(ref json))
        {
            while (Cursor.NextObject(ref json))
            {
                while (Cursor.Next(ref json))
                {
                    if (json.ValueTextEquals("lastTransitionTime"u8))
                    {
                        last = Cursor.ReadTime(ref json) is { } at ? Math.Max(last ?? 0, at) : last;
                    }
                    else
                    {
                        json.Skip();
                    }
                }
            }
        }

        return last;
    }

    private static long? OneTime(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        long? time = null;
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals(name))
                {
                    time = Cursor.ReadTime(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
        }

        // The zero time of Go, written for containers of which the kubelet lost track.
        return time > 0 ? time : null;
    }
}
