using Flows.Core.Identity;
using System.Text.Json;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads <c>metadata</c>.</summary>
internal static class MetaReader
{
    /// <summary>A UUID has 36; anything much longer would only be an attack on memory.</summary>
    private const int UidCharsMax = 128;

    /// <summary>The annotations that say something about addresses or owners; all others are dropped unread.</summary>
    private static readonly HashSet<string> KnownAnnotations = new(NodeReader.AddressAnnotations, StringComparer.Ordinal)
    {
        StaticPod, NodeReader.FlannelBackend,
    };

    /// <summary>Marks the API's copy of a pod that a kubelet runs from a file.</summary>
    public const string StaticPod = "kubernetes.io/config.mirror";

    /// <summary>Reads the object that is the value of the property at the reader.</summary>
    /// <exception cref="FormatException">There is no name or no uid, or something is of the wrong type.</exception>
    public static ObjectMeta Read(ref Utf8JsonReader json, TextPool pool)
    {
        var meta = new ObjectMeta();
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                Property(ref json, pool, meta);
            }
        }

        // U+001F separates the parts of which identifiers are made.
        return meta.Name.Length == 0 || meta.Uid.Length is 0 or > UidCharsMax || meta.Uid.Contains('\u001f')
            ? throw new FormatException("metadata lacks a name or a usable uid")
            : meta;
    }

    /// <summary>
    /// What can be read of an object that is not what it should be: a bookmark, which has a version only, or one in which something is wrong.
    /// Empty where that is impossible too.
    /// </summary>
    public static (string Name, string Uid, string ResourceVersion) Peek(ReadOnlySpan<byte> utf8)
    {
        var (name, uid, version) = ("", "", "");
        try
        {
            var json = new Utf8JsonReader(utf8);
            for (var inMetadata = false; json.Read();)
            {
                if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1)
                {
                    inMetadata = json.ValueTextEquals("metadata"u8);
                }
                else if (inMetadata && json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 2)
                {
                    if (json.ValueTextEquals("name"u8))
                    {
                        name = Cursor.ReadText(ref json);
                    }
                    else if (json.ValueTextEquals("uid"u8))
                    {
                        uid = Cursor.ReadText(ref json);
                    }
                    else if (json.ValueTextEquals("resourceVersion"u8))
                    {
                        version = Cursor.ReadText(ref json);
                    }
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            // Expected: something is wrong with it, that is why we peek.
        }

        return (name, uid, version);
    }

    private static void Property(ref Utf8JsonReader json, TextPool pool, ObjectMeta meta)
    {
        if (json.ValueTextEquals("name"u8))
        {
            meta.Name = Cursor.ReadText(ref json);
        }
        else if (json.ValueTextEquals("uid"u8))
        {
            meta.Uid = Cursor.ReadText(ref json);
        }
        else if (json.ValueTextEquals("resourceVersion"u8))
        {
            meta.ResourceVersion = Cursor.ReadText(ref json);
        }
        else if (json.ValueTextEquals("namespace"u8))
        {
            json.Read();
            meta.Namespace = pool.Text(ref json);
        }
        else if (json.ValueTextEquals("labels"u8))
        {
            meta.Labels = pool.Labels(ref json);
        }
        else if (json.ValueTextEquals("annotations"u8))
        {
            meta.Annotations = Annotations(ref json);
        }
        else if (json.ValueTextEquals("creationTimestamp"u8))
        {
            meta.CreatedUs = Cursor.ReadTime(ref json);
        }
        else if (json.ValueTextEquals("deletionTimestamp"u8))
        {
            meta.Deleting = Cursor.ReadTime(ref json) is not null;
        }
        else if (json.ValueTextEquals("ownerReferences"u8))
        {
            meta.Owner = Owner(ref json, pool);
        }
        else
        {
            json.Skip();
        }
    }

    private static LabelDictionary Annotations(ref Utf8JsonReader json)
    {
        List<KeyValuePair<string, string>>? known = null;
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                var key = json.GetString()!;
                if (KnownAnnotations.Contains(key))
                {
                    (known ??= []).Add(new(key, Cursor.ReadText(ref json)));
                }
                else
                {
                    json.Skip();
                }
            }
        }

        return known is null ? LabelDictionary.Empty : LabelDictionary.Of(known);
    }

    private static OwnerRef? Owner(ref Utf8JsonReader json, TextPool pool)
    {
        OwnerRef? managing = null;
        if (!Cursor.EnterArray(ref json))
        {
            return null;
        }

        while (Cursor.NextObject(ref json))
        {
            var (kind, name, uid, manages) = ("", "", 0UL, false);
            while (Cursor.Next(ref json))
            {
                if (json.ValueTextEquals("kind"u8))
                {
                    json.Read();
                    kind = pool.Text(ref json);
                }
                else if (json.ValueTextEquals("name"u8))
                {
                    json.Read();
                    name = pool.Text(ref json);
                }
                else if (json.ValueTextEquals("uid"u8))
                {
                    uid = OwnerRef.Hash(Cursor.ReadText(ref json));
                }
                else if (json.ValueTextEquals("controller"u8))
                {
                    manages = Cursor.ReadBool(ref json) == true;
                }
                else
                {
                    json.Skip();
                }
            }

            managing = manages ? pool.Owner(new(kind, name, uid)) : managing;
        }

        return managing;
    }
}
