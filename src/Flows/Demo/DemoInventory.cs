using System.Text.Json;
using System.Text.Json.Nodes;
using Flows.Core;
using Flows.Core.Identity;

namespace Flows.Demo;

/// <summary>
/// What a cluster's API would have told about the fleet: JSON lines of an inventory file, with the real times at which addresses were
/// held. Peers outside are not in it.
/// </summary>
internal static class DemoInventory
{
    /// <summary>The address scope of the fleet; collectors on its nodes must be given the same.</summary>
    public const string Scope = "demo";

    private const string Cluster = "demo";

    /// <param name="fleetFromUs">When the first address was given out: nodes and services have theirs since then.</param>
    public static IReadOnlyList<string> Lines(IReadOnlyList<Tenure> tenures, long fleetFromUs)
    {
        var fleet = new Tenure(FleetPlan.Members[0], fleetFromUs, null);
        var lines = new List<string>();
        foreach (var node in FleetPlan.Nodes)
        {
            lines.Add(Line(node.V4, EntityKind.Node, "", node.Name, fleet, new() { ["node"] = node.Name }));
            lines.Add(Line(node.V6, EntityKind.Node, "", node.Name, fleet, new() { ["node"] = node.Name }));
        }

        lines.AddRange(FleetPlan.Services.Select(service => Line(service.Address, EntityKind.Service, service.Namespace, service.Name, fleet, [])));
        foreach (var tenure in tenures.Where(tenure => tenure.Member.Kind != EntityKind.Unknown).OrderBy(tenure => tenure.FromUs).ThenBy(tenure => tenure.Member.Name, StringComparer.Ordinal))
        {
            var member = tenure.Member;
            lines.Add(Line(member.V4, member.Kind, member.Namespace, member.Name, tenure, Details(member)));
            if (member.V6.Length > 0)
            {
                lines.Add(Line(member.V6, member.Kind, member.Namespace, member.Name, tenure, Details(member)));
            }
        }

        return lines;
    }

    private static string Line(string address, EntityKind kind, string space, string name, Tenure tenure, JsonObject details)
    {
        var line = new JsonObject
        {
            ["scope"] = Scope,
            ["addr"] = address,
            ["kind"] = Entity.TextOf(kind),
            ["uid"] = $"{Entity.TextOf(kind)}-{space}-{name}",
            ["cluster"] = Cluster,
            ["namespace"] = space,
            ["name"] = name,
            ["valid_from"] = UnixTime.Text(tenure.FromUs),
            ["learned_at"] = UnixTime.Text(tenure.FromUs),
            ["origin"] = Origins.Kubernetes,
        };
        if (tenure.ToUs is { } to)
        {
            line["valid_to"] = UnixTime.Text(to);
        }

        foreach (var (key, value) in details)
        {
            line[key] = value?.DeepClone();
        }

        return JsonSerializer.Serialize(line, Json.Compact.JsonObject);
    }

    private static JsonObject Details(FleetMember member)
    {
        var details = new JsonObject
        {
            ["workload_kind"] = member.WorkloadKind,
            ["workload"] = member.Workload,
        };
        if (member.Kind == EntityKind.Pod)
        {
            details["node"] = member.Node;
            details["host_network"] = member.HostNetwork;
            details["labels"] = Labels(member);
            details["selector"] = new JsonObject { ["app.kubernetes.io/name"] = member.Workload };
        }

        return details;
    }

    /// <summary>The labels that a cluster would show, also those that change with every roll-out or differ between pods of one owner.</summary>
    private static JsonObject Labels(FleetMember member)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["app.kubernetes.io/name"] = member.Workload,
            ["app.kubernetes.io/part-of"] = member.Namespace,
        };
        switch (member.WorkloadKind)
        {
            case "Deployment":
                labels["pod-template-hash"] = member.Name.Split('-')[^2];
                break;
            case "StatefulSet":
                labels["statefulset.kubernetes.io/pod-name"] = member.Name;
                labels["apps.kubernetes.io/pod-index"] = member.Name[(member.Name.LastIndexOf('-') + 1)..];
                labels["controller-revision-hash"] = $"{member.Workload}-6f8d9c7b54";
                break;
            case "DaemonSet":
                labels["controller-revision-hash"] = "7d5f9b8c66";
                labels["pod-template-generation"] = "1";
                break;
            default:
                break;
        }

        return new JsonObject(labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
    }
}
