using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Flows.Core;
using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>Reads one line of an inventory. All text is data: it is bounded and kept, never interpreted.</summary>
internal static class InventoryLine
{
    /// <summary>The longest DNS name (RFC 1035 2.3.4, as text); Kubernetes allows no name longer.</summary>
    private const int TextMax = 253;

    /// <summary>A label's key is a DNS name, a slash and a name of 63 characters.</summary>
    private const int LabelKeyMax = 253 + 1 + 63;

    private const int LabelsMax = 64;

    /// <summary>Clocks differ; a time of learning further ahead than this would beat every later correction.</summary>
    private const long ClockSkewUs = 5 * UnixTime.Minute;

    /// <summary>What a line may say.</summary>
    public static readonly string[] Keys =
    [
        "scope", "addr", "kind", "uid", "cluster", "namespace", "name", "workload_kind", "workload", "node", "host_network", "labels", "selector", "ports",
        "valid_from", "valid_to", "learned_at", "revoked_at", "origin",
    ];

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    /// <summary>The statement of a line, or null and the fault.</summary>
    public static IdentityInterval? Read(ReadOnlyMemory<byte> line, InventoryDefaults defaults, out InventoryFault? fault)
    {
        fault = null;
        try
        {
            if (!Utf8.IsValid(line.Span))
            {
                throw new InventoryFaultException("the line is not UTF-8", "save the file as UTF-8");
            }

            using var document = JsonDocument.Parse(line, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? StatementOf(document.RootElement, defaults)
                : throw new InventoryFaultException("the line is not a JSON object", """write {"addr": ..., "kind": ..., "name": ...} on each line""");
        }
        catch (InventoryFaultException found)
        {
            fault = found.Fault;
        }
        catch (JsonException broken)
        {
            fault = new($"the line is not JSON with each key once (byte {broken.BytePositionInLine})", "mend it; one object a line, without commas between lines");
        }
        catch (InvalidOperationException)
        {
            // The reader's own way to say so, whichever text it is in.
            fault = new("a text holds half of a surrogate pair", "remove the lone \\ud... escape");
        }

        return null;
    }

    private static IdentityInterval StatementOf(JsonElement line, InventoryDefaults defaults)
    {
        foreach (var property in line.EnumerateObject())
        {
            if (!Keys.Contains(property.Name, StringComparer.Ordinal))
            {
                throw new InventoryFaultException($"the key '{Shown(property.Name)}' is not known", $"use {string.Join(", ", Keys)}");
            }
        }

        var range = AddressRange.TryParse(Required(line, "addr"), out var parsed) ? parsed
            : throw new InventoryFaultException(
                $"addr '{Shown(Required(line, "addr"))}' is neither an address nor a range",
                "write 10.0.0.1, 2001:db8::1, or a range without bits after its prefix such as 10.0.0.0/8");
        var entity = EntityOf(line, defaults);
        var from = Time(line, "valid_from") ?? 0;
        var to = Time(line, "valid_to");
        var learnedAt = Time(line, "learned_at") ?? defaults.NowUs;
        if (to <= from)
        {
            throw new InventoryFaultException("valid_to is not after valid_from", "an interval ends before valid_to; to withdraw one, set revoked_at");
        }

        if (learnedAt > defaults.NowUs + ClockSkewUs)
        {
            throw new InventoryFaultException("learned_at is in the future", "leave it out: the time of reading is taken");
        }

        return new()
        {
            IntervalId = IdentityInterval.IdOf(entity, range.First, range.PrefixLength, from),
            Entity = entity,
            Address = range.First,
            PrefixLength = range.PrefixLength,
            ValidFromUs = from,
            ValidToUs = to,
            LearnedAtUs = learnedAt,
            RevokedAtUs = Time(line, "revoked_at"),
            Origin = OriginOf(line, entity.Kind, defaults.Origin),
        };
    }

    private static Entity EntityOf(JsonElement line, InventoryDefaults defaults)
    {
        var kindText = Required(line, "kind");
        if (Entity.KindOf(kindText) is not { } kind || kind is EntityKind.Unknown or EntityKind.Ambiguous)
        {
            throw new InventoryFaultException($"'{Shown(kindText)}' is not a kind", "use pod, service, node, vm, host, load_balancer, cidr or external");
        }

        var scope = Optional(line, "scope", defaults.Scope);
        if (scope == EveryScope.Name && kind is not (EntityKind.Cidr or EntityKind.External))
        {
            throw new InventoryFaultException(
                $"a {kindText} cannot be in every scope", "scope * is for the kinds cidr and external; name the scope in which the address is unique");
        }

        var cluster = Optional(line, "cluster");
        var space = Optional(line, "namespace");
        var name = Required(line, "name");

        // Without a uid the names are all there is to tell holders apart; the parts are escaped so that no two triples join to one text.
        var uid = Optional(line, "uid", UidOf(scope, space, name));
        return new()
        {
            Id = Entity.IdOf(cluster, kind, uid),
            Kind = kind,
            Scope = scope,
            Uid = uid,
            Cluster = cluster,
            Namespace = space,
            Name = name,
            WorkloadKind = Optional(line, "workload_kind"),
            Workload = Optional(line, "workload"),
            Node = Optional(line, "node"),
            HostNetwork = Flag(line, "host_network"),
            Labels = Labels(line, "labels"),
            Selector = Labels(line, "selector"),
            Ports = Ports(line),
        };
    }

    /// <summary>The uid of a holder whose line gives none.</summary>
    public static string UidOf(string scope, string space, string name) => string.Join('/', new[] { scope, space, name }.Select(Escaped));

    /// <summary>A range that somebody gave a name is the catalogue's, unless the line says otherwise; the rest is the file's.</summary>
    private static string OriginOf(JsonElement line, EntityKind kind, string? owned)
    {
        var otherwise = owned ?? (kind is EntityKind.Cidr or EntityKind.External ? Origins.Cidr : Origins.File);
        var origin = Optional(line, "origin", otherwise);
        return owned is null || origin == owned ? origin : throw new InventoryFaultException(
            $"origin '{Shown(origin)}' is not the one for which this file is complete", $"leave origin out; it is '{owned}' for every line");
    }

    private static string Escaped(string part) =>
        part.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    private static string Required(JsonElement line, string key) => Optional(line, key) is { Length: > 0 } text
        ? text
        : throw new InventoryFaultException($"{key} is missing or empty", "addr, kind and name must be given");

    private static string Optional(JsonElement line, string key, string otherwise = "") =>
        !line.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? otherwise
        : value.ValueKind != JsonValueKind.String ? throw new InventoryFaultException($"{key} is not a text", "put it in double quotes")
        : Bounded(value, key, TextMax) is { Length: > 0 } text ? text : otherwise;

    private static bool Flag(JsonElement line, string key) => line.TryGetProperty(key, out var value) && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False or JsonValueKind.Null => false,
        _ => throw new InventoryFaultException($"{key} is neither true nor false", "write true or false, without quotes"),
    };

    private static long? Time(JsonElement line, string key)
    {
        var text = Optional(line, key);
        if (text.Length == 0)
        {
            return null;
        }

        // An age would mean another time, and so another interval, at every reading.
        var us = -1L;
        try
        {
            us = text.Length > 4 && text[4] == '-' ? UnixTime.Parse(text, 0) : us;
        }
        catch (FlowsException)
        {
            // Reported below with the key, as every other text that is no time.
        }

        return us >= 0 ? us : throw new InventoryFaultException($"{key} '{Shown(text)}' is not a time after 1970", "write 2026-01-31T10:00:00Z");
    }

    /// <summary>Numbers of ports by <c>name/protocol</c>.</summary>
    private static IReadOnlyDictionary<string, string> Ports(JsonElement line)
    {
        var ports = Labels(line, "ports");
        foreach (var (name, number) in ports)
        {
            if (name.Split('/') is not [{ Length: > 0 }, "tcp" or "udp" or "sctp"] || !ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            {
                throw new InventoryFaultException(
                    $"ports: '{Shown(name)}' with '{Shown(number)}' is not a named port", """write {"http/tcp": "8080"}, with tcp, udp or sctp and a number from 1 to 65535""");
            }
        }

        return ports;
    }

    private static IReadOnlyDictionary<string, string> Labels(JsonElement line, string key)
    {
        if (!line.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return Entity.NoLabels;
        }

        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() > LabelsMax)
        {
            throw new InventoryFaultException($"{key} is not an object of at most {LabelsMax} texts", """write {"app": "web"}""");
        }

        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in value.EnumerateObject())
        {
            var text = label.Value.ValueKind == JsonValueKind.String ? Bounded(label.Value, key, TextMax)
                : throw new InventoryFaultException($"{key}: the value of '{Shown(label.Name)}' is not a text", "put it in double quotes");
            labels[Checked(label.Name, key, LabelKeyMax)] = text;
        }

        return labels;
    }

    private static string Bounded(JsonElement value, string key, int max) => Checked(value.GetString()!, key, max);

    /// <summary>
    /// Any character may be part of a name but two: NUL, which ends texts in other programs, and U+001F, which joins the parts that
    /// identifiers are hashed from and would let one name forge another's.
    /// </summary>
    private static string Checked(string text, string key, int max) =>
        text.Length > max ? throw new InventoryFaultException($"{key} is longer than {max} characters", "shorten it")
        : text.AsSpan().ContainsAny('\0', '\u001f') ? throw new InventoryFaultException($"{key} holds the character U+0000 or U+001F", "remove it")
        : text;

    public static string Shown(string text) => VisibleText.Of(text.Length > 80 ? text[..80] + "..." : text);
}
