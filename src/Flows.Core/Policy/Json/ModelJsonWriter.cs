using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Writes the model as JSON.</summary>
internal static class ModelJsonWriter
{
    public static string Write(PolicySet set)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", ModelJson.Version);
            json.WriteString("kind", ModelJson.Kind);
            List(json, "policies", set.Policies, Policy);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static void Policy(Utf8JsonWriter json, SegmentPolicy policy)
    {
        json.WriteStartObject();
        Text(json, "namespace", policy.Namespace);
        json.WriteString("name", policy.Name);
        Text(json, "subject", policy.Subject);
        json.WriteStartObject("tier");
        json.WriteString("name", policy.Tier.Name);
        json.WriteNumber("order", policy.Tier.Order);
        json.WriteEndObject();
        if (policy.Order is { } order)
        {
            if (double.IsFinite(order))
            {
                json.WriteNumber("order", order);
            }
            else
            {
                json.WriteString("order", "last");
            }
        }

        json.WritePropertyName("target");
        Segment(json, policy.Target);
        Direction(json, "ingress", policy.Ingress, policy.ClosesIngress);
        Direction(json, "egress", policy.Egress, policy.ClosesEgress);
        json.WriteEndObject();
    }

    private static void Direction(Utf8JsonWriter json, string name, IReadOnlyList<Rule>? rules, bool closes)
    {
        if (rules is not null)
        {
            json.WriteStartObject(name);
            json.WriteBoolean("closes", closes);
            List(json, "rules", rules, Rule);
            json.WriteEndObject();
        }
    }

    private static void Rule(Utf8JsonWriter json, Rule rule)
    {
        json.WriteStartObject();
        Text(json, "name", rule.Name);
        json.WriteString("action", ModelWords.Of(ModelWords.Actions, rule.Action));
        List(json, "peers", rule.Peers, Segment);
        List(json, "ports", rule.Ports, Port);
        json.WriteString("purpose", ModelWords.Of(ModelWords.Purposes, rule.Purpose));
        Text(json, "reason", rule.Reason ?? "");
        Text(json, "widened", rule.Widened ?? "");
        json.WriteEndObject();
    }

    private static void Port(Utf8JsonWriter json, PortMatch port)
    {
        json.WriteStartObject();
        json.WriteString("protocol", IpProtocol.NameOf(port.Protocol));
        if (port.Name is not null)
        {
            json.WriteString("name", port.Name);
        }
        else if (port.First is { } first)
        {
            json.WriteNumber("first", first);
            json.WriteNumber("last", port.Last ?? first);
        }

        json.WriteEndObject();
    }

    private static void Segment(Utf8JsonWriter json, Segment segment)
    {
        json.WriteStartObject();
        switch (segment)
        {
            case PodSegment pods:
                json.WriteStartObject("pods");
                List(json, "namespaces", pods.Namespaces.Requirements, Requirement);
                List(json, "labels", pods.Pods.Requirements, Requirement);
                json.WriteEndObject();
                break;
            case RangeSegment range:
                json.WriteStartObject("range");
                json.WriteString("cidr", range.Range.ToString());
                List(json, "except", range.Except, (to, block) => to.WriteStringValue(block.ToString()));
                json.WriteEndObject();
                break;
            case HostSegment hosts:
                List(json, "hosts", hosts.Labels.Requirements, Requirement);
                break;
            case ServiceSegment service:
                json.WriteStartObject("service");
                json.WriteString("namespace", service.Namespace);
                json.WriteString("name", service.Name);
                json.WriteEndObject();
                break;
            case NameSegment name:
                json.WriteStartObject("dns");
                json.WriteString("pattern", name.Pattern);
                json.WriteBoolean("one_label", name.OneLabel);
                json.WriteEndObject();
                break;
            case BoundarySegment boundary:
                json.WriteString("boundary", ModelWords.Of(ModelWords.Boundaries, boundary.Side));
                break;
            case AnySegment any:
                List(json, "any", any.Segments, Segment);
                break;
        }

        json.WriteEndObject();
    }

    private static void Requirement(Utf8JsonWriter json, LabelRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteString("key", requirement.Key);
        json.WriteString("operator", ModelWords.Of(ModelWords.Operators, requirement.Operator));
        if (requirement.Values.Count > 0)
        {
            List(json, "values", requirement.Values, (to, value) => to.WriteStringValue(value));
        }

        json.WriteEndObject();
    }

    private static void List<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            write(json, item);
        }

        json.WriteEndArray();
    }

    private static void Text(Utf8JsonWriter json, string name, string text)
    {
        if (text.Length > 0)
        {
            json.WriteString(name, text);
        }
    }
}
