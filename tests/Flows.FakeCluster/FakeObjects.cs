using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flows.FakeCluster;

/// <summary>The owner that manages an object.</summary>
public sealed record FakeOwner(string ApiVersion, string Kind, string Name, string Uid);

/// <summary>What every object has.</summary>
public abstract record FakeObject
{
    public string Namespace { get; init; } = "";

    public required string Name { get; init; }

    public required string Uid { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public FakeOwner? Owner { get; init; }

    public DateTimeOffset Created { get; init; } = new(2026, 1, 31, 10, 0, 0, TimeSpan.Zero);

    public DateTimeOffset? Deleting { get; init; }

    /// <summary>Where it is kept in its collection.</summary>
    public string Key => $"{Namespace}/{Name}";

    /// <summary>The object as an API server keeps it, but for its version.</summary>
    public string Json()
    {
        var text = new StringBuilder(2048);
        text.Append("{\"metadata\":{\"name\":").Append(Quote(Name));
        text.Append(Namespace.Length > 0 ? $",\"namespace\":{Quote(Namespace)}" : "");
        text.Append(CultureInfo.InvariantCulture, $",\"uid\":\"{Uid}\",\"creationTimestamp\":{Time(Created)}");
        text.Append(Deleting is { } at ? $",\"deletionTimestamp\":{Time(at)},\"deletionGracePeriodSeconds\":30" : "");
        text.Append(Labels.Count > 0 ? $",\"labels\":{Map(Labels)}" : "").Append(Annotations.Count > 0 ? $",\"annotations\":{Map(Annotations)}" : "");
        if (Owner is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $$""","ownerReferences":[{"apiVersion":"{{Owner.ApiVersion}}","kind":"{{Owner.Kind}}","name":{{Quote(Owner.Name)}},"uid":"{{Owner.Uid}}","controller":true,"blockOwnerDeletion":true}]""");
        }

        // What servers send and nobody here wants.
        text.Append(""","managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-01-31T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:resources":{}}}}}}]}""");
        Rest(text);
        return text.Append('}').ToString();
    }

    /// <summary>Writes everything after metadata, each property with a comma before it.</summary>
    protected abstract void Rest(StringBuilder text);

    protected static string Time(DateTimeOffset time) => $"\"{time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\"";

    protected static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    protected static string Map(IReadOnlyDictionary<string, string> map) => $"{{{string.Join(',', map.Select(one => $"{Quote(one.Key)}:{Quote(one.Value)}"))}}}";

    protected static string List(IEnumerable<string> texts) => $"[{string.Join(',', texts.Select(Quote))}]";
}

/// <summary>v1/Pod.</summary>
public sealed record FakePod : FakeObject
{
    public string Node { get; init; } = "node-1";

    public IReadOnlyList<string> Addresses { get; init; } = [];

    public string Phase { get; init; } = "Running";

    public bool HostNetwork { get; init; }

    public string RestartPolicy { get; init; } = "Always";

    public DateTimeOffset? Started { get; init; }

    /// <summary>When its container ended; null while it runs.</summary>
    public DateTimeOffset? Finished { get; init; }

    protected override void Rest(StringBuilder text)
    {
        var state = Finished is { } ended
            ? $$$"""{"terminated":{"exitCode":0,"reason":"Completed","startedAt":{{{Time(Started ?? Created)}}},"finishedAt":{{{Time(ended)}}},"containerID":"containerd://{{{Uid}}}"}}"""
            : Phase == "Pending" ? """{"waiting":{"reason":"ContainerCreating"}}""" : $$$"""{"running":{"startedAt":{{{Time(Started ?? Created)}}}}}""";
        text.Append(CultureInfo.InvariantCulture, $$$""","spec":{"volumes":[{"name":"kube-api-access","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}],"defaultMode":420}}],"containers":[{"name":"main","image":"registry.example/shop/app:1.2.3","ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],"env":[{"name":"MODE","value":"production"}],"resources":{"limits":{"memory":"256Mi"},"requests":{"cpu":"100m","memory":"128Mi"}},"volumeMounts":[{"name":"kube-api-access","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"{{{RestartPolicy}}}","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","nodeName":{{{Quote(Node)}}},{{{(HostNetwork ? "\"hostNetwork\":true," : "")}}}"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true}""");
        text.Append(CultureInfo.InvariantCulture, $$""","status":{"phase":"{{Phase}}","conditions":[{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":{{Time(Finished ?? Started ?? Created)}}}],"hostIP":"192.168.0.1","hostIPs":[{"ip":"192.168.0.1"}]""");
        if (Addresses.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $$""","podIP":"{{Addresses[0]}}","podIPs":[{{string.Join(',', Addresses.Select(one => $"{{\"ip\":\"{one}\"}}"))}}]""");
        }

        text.Append(Started is { } started ? $",\"startTime\":{Time(started)}" : "");
        text.Append(CultureInfo.InvariantCulture, $$""","containerStatuses":[{"name":"main","state":{{state}},"lastState":{},"ready":true,"restartCount":0,"image":"registry.example/shop/app:1.2.3","imageID":"registry.example/shop/app@sha256:0","containerID":"containerd://{{Uid}}","started":true}],"qosClass":"Burstable"}""");
    }
}

/// <summary>One port of a service.</summary>
public sealed record FakePort(string Name, int Port, string TargetPort, string Protocol = "TCP", int NodePort = 0);

/// <summary>v1/Service.</summary>
public sealed record FakeService : FakeObject
{
    public string Type { get; init; } = "ClusterIP";

    public IReadOnlyList<string> ClusterIps { get; init; } = [];

    public IReadOnlyList<string> ExternalIps { get; init; } = [];

    public IReadOnlyList<string> Ingress { get; init; } = [];

    public string ExternalName { get; init; } = "";

    public IReadOnlyDictionary<string, string> Selector { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<FakePort> Ports { get; init; } = [];

    protected override void Rest(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $$""","spec":{"type":"{{Type}}","sessionAffinity":"None","internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack" """);
        text.Append(ClusterIps.Count > 0 ? $",\"clusterIP\":\"{ClusterIps[0]}\",\"clusterIPs\":{List(ClusterIps)}" : "");
        text.Append(ExternalIps.Count > 0 ? $",\"externalIPs\":{List(ExternalIps)}" : "").Append(ExternalName.Length > 0 ? $",\"externalName\":{Quote(ExternalName)}" : "");
        text.Append(Selector.Count > 0 ? $",\"selector\":{Map(Selector)}" : "");
        text.Append(",\"ports\":[").AppendJoin(',', Ports.Select(port => string.Create(CultureInfo.InvariantCulture,
            $$"""{"protocol":"{{port.Protocol}}","port":{{port.Port}},"targetPort":{{(port.TargetPort.All(char.IsAsciiDigit) ? port.TargetPort : Quote(port.TargetPort))}}{{(port.Name.Length > 0 ? $",\"name\":{Quote(port.Name)}" : "")}}{{(port.NodePort > 0 ? $",\"nodePort\":{port.NodePort}" : "")}}}""")));
        var ingress = Ingress.Count > 0 ? $"\"ingress\":[{string.Join(',', Ingress.Select(one => $"{{\"ip\":\"{one}\"}}"))}]" : "";
        text.Append("]},\"status\":{\"loadBalancer\":{").Append(ingress).Append("}}");
    }
}

/// <summary>One endpoint of a slice. The three conditions are null for unknown.</summary>
public sealed record FakeEndpoint(string Address, string PodUid = "", string PodName = "", bool? Ready = true, bool? Serving = true, bool? Terminating = false);

/// <summary>discovery.k8s.io/v1/EndpointSlice.</summary>
public sealed record FakeSlice : FakeObject
{
    public string AddressType { get; init; } = "IPv4";

    public IReadOnlyList<FakeEndpoint> Endpoints { get; init; } = [];

    /// <summary>Name, number and protocol.</summary>
    public IReadOnlyList<(string Name, int Port, string Protocol)> Ports { get; init; } = [];

    protected override void Rest(StringBuilder text)
    {
        // Endpoints stand before addressType's siblings in real answers; the order must not matter.
        text.Append(",\"endpoints\":[").AppendJoin(',', Endpoints.Select(one =>
            $$"""{"addresses":["{{one.Address}}"],"conditions":{{{string.Join(',', new[] { Condition("ready", one.Ready), Condition("serving", one.Serving), Condition("terminating", one.Terminating) }.Where(text => text.Length > 0))}}}{{(one.PodUid.Length > 0 ? $",\"targetRef\":{{\"kind\":\"Pod\",\"namespace\":{Quote(Namespace)},\"name\":{Quote(one.PodName)},\"uid\":\"{one.PodUid}\"}}" : "")}},"nodeName":"node-1","zone":"a"}"""));
        text.Append(CultureInfo.InvariantCulture, $$"""],"addressType":"{{AddressType}}","ports":[""").AppendJoin(',', Ports.Select(port => string.Create(CultureInfo.InvariantCulture,
            $$"""{"name":{{Quote(port.Name)}},"protocol":"{{port.Protocol}}","port":{{port.Port}}}"""))).Append(']');
    }

    private static string Condition(string name, bool? value) => value is { } known ? $"\"{name}\":{(known ? "true" : "false")}" : "";
}

/// <summary>v1/Node.</summary>
public sealed record FakeNode : FakeObject
{
    /// <summary>Type and address.</summary>
    public IReadOnlyList<(string Type, string Address)> Addresses { get; init; } = [];

    public IReadOnlyList<string> PodCidrs { get; init; } = [];

    protected override void Rest(StringBuilder text) => text
        .Append(CultureInfo.InvariantCulture, $$""","spec":{{{(PodCidrs.Count > 0 ? $"\"podCIDR\":\"{PodCidrs[0]}\",\"podCIDRs\":{List(PodCidrs)}" : "")}}},"status":{"addresses":[""")
        .AppendJoin(',', Addresses.Select(one => $$"""{"type":"{{one.Type}}","address":"{{one.Address}}"}"""))
        .Append("""],"nodeInfo":{"kubeletVersion":"v1.28.3"},"images":[{"names":["registry.example/shop/app:1.2.3"],"sizeBytes":123456}]}""");
}

/// <summary>Deployment, ReplicaSet, StatefulSet, DaemonSet or Job: what selects and owns pods.</summary>
public sealed record FakeWorkload : FakeObject
{
    public IReadOnlyDictionary<string, string> Selector { get; init; } = new Dictionary<string, string>();

    protected override void Rest(StringBuilder text) => text.Append(CultureInfo.InvariantCulture,
        $$""","spec":{"replicas":3,"selector":{"matchLabels":{{Map(Selector)}} },"template":{"metadata":{"labels":{{Map(Labels)}} },"spec":{"containers":[{"name":"main","image":"registry.example/shop/app:1.2.3"}]} } },"status":{"replicas":3}""");
}

/// <summary>Namespace, NetworkPolicy or anything else, with its body given.</summary>
public sealed record FakeDocument : FakeObject
{
    /// <summary>Properties after metadata, such as <c>"spec":{}</c>.</summary>
    public string Body { get; init; } = "\"spec\":{}";

    protected override void Rest(StringBuilder text) => text.Append(',').Append(Body);
}
