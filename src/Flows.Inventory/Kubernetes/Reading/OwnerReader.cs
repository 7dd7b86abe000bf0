using Flows.Core.Identity;
using System.Text.Json;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads what owns pods. The rest of such an object, mostly its pod template, is skipped.</summary>
internal static class OwnerReader
{
    /// <summary>A ReplicaSet or Job, whole or as PartialObjectMetadata.</summary>
    public static KubeObject ReadOwner(ReadOnlySpan<byte> utf8, TextPool pool) => new OwnerObject(Read(utf8, pool, out _));

    public static KubeObject ReadDeployment(ReadOnlySpan<byte> utf8, TextPool pool) => Workload(utf8, pool, "Deployment");

    public static KubeObject ReadStatefulSet(ReadOnlySpan<byte> utf8, TextPool pool) => Workload(utf8, pool, "StatefulSet");

    public static KubeObject ReadDaemonSet(ReadOnlySpan<byte> utf8, TextPool pool) => Workload(utf8, pool, "DaemonSet");

    private static WorkloadObject Workload(ReadOnlySpan<byte> utf8, TextPool pool, string kind) => new(Read(utf8, pool, out var selector), kind) { Selector = selector };

    private static ObjectMeta Read(ReadOnlySpan<byte> utf8, TextPool pool, out LabelDictionary selector)
    {
        var json = new Utf8JsonReader(utf8);
        ObjectMeta? meta = null;
        selector = LabelDictionary.Empty;
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                meta = MetaReader.Read(ref json, pool);
            }
            else if (json.ValueTextEquals("spec"u8) && Cursor.Enter(ref json))
            {
                while (Cursor.Next(ref json))
                {
                    if (json.ValueTextEquals("selector"u8))
                    {
                        selector = MatchLabels(ref json, pool);
                    }
                    else
                    {
                        json.Skip();
                    }
                }
            }
            else
            {
                json.Skip();
            }
        }

        return meta ?? throw new FormatException("the object has no metadata");
    }

    private static LabelDictionary MatchLabels(ref Utf8JsonReader json, TextPool pool)
    {
        var labels = LabelDictionary.Empty;
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("matchLabels"u8))
                {
                    labels = pool.Labels(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
        }

        return labels;
    }
}
