namespace Flows.Core.Policy;

/// <summary>A file's name and content, as somebody else read it.</summary>
public sealed record PolicyDocument(string File, string Text);

/// <summary>One object that stands in policy files: the policies it means, or what is wrong with it.</summary>
/// <param name="Id">What it calls itself: <c>namespace/name</c> or name; empty where that could not be read.</param>
/// <param name="Document">File, and document where there are several.</param>
public sealed record PolicyObject(string Document, string Kind, string Id, IReadOnlyList<SegmentPolicy> Policies, IReadOnlyList<PolicyFaultException> Faults)
{
    public bool IsValid => Faults.Count == 0;
}

/// <summary>
/// Reads policies of every kind that is known: YAML with any number of documents, JSON, Lists of either, and our own JSON. What the API would
/// refuse, or this version does not know, is a fault with file, document, line and field, never a guess.
/// </summary>
public static class PolicyReader
{
    private const string DefaultNamespace = "default";

    private static readonly CalicoTiers NoTiers = CalicoTiers.Of([]);

    /// <summary>The set in these files.</summary>
    /// <exception cref="FlowsException">Something cannot be read, is invalid, or stands there twice.</exception>
    public static PolicySet Read(IEnumerable<PolicyDocument> files)
    {
        var objects = Objects(files);
        return objects.SelectMany(one => one.Faults).FirstOrDefault() is { } fault ? throw fault : SetOf(objects);
    }

    /// <summary>The set of the objects that are well.</summary>
    public static PolicySet SetOf(IEnumerable<PolicyObject> objects) => PolicySet.Of(objects.Where(one => one.IsValid).SelectMany(one => one.Policies));

    /// <summary>Every object of the files, well or not.</summary>
    public static IReadOnlyList<PolicyObject> Objects(IEnumerable<PolicyDocument> files)
    {
        // A large fleet has a hundred thousand policies, and reading them takes longer than judging by them: each processor takes its share. Trees are
        // much larger than what they mean, so that each is read as soon as it stands; only Calico's policies wait for the tiers of all files.
        var parts = new SharedParts();
        var parsed = files.AsParallel().AsOrdered().Select(file => Parse(file, parts)).ToList();
        var documents = parsed.SelectMany(file => file.Documents).ToList();
        var tiers = CalicoTiers.Of(documents.Select(document => document.Waiting).OfType<YamlField>());
        return Distinct(
        [
            .. parsed.Select(file => file.Unreadable).OfType<PolicyObject>(),
            .. documents.AsParallel().AsOrdered().Select(document => document.Waiting is { } waiting ? Object(waiting, tiers, parts) : document.Object).OfType<PolicyObject>(),
        ]);
    }

    /// <summary>The documents of a file, those of lists one by one; or why it cannot be read.</summary>
    private static (IReadOnlyList<(YamlField? Waiting, PolicyObject? Object)> Documents, PolicyObject? Unreadable) Parse(PolicyDocument file, SharedParts parts)
    {
        try
        {
            return ([.. YamlField.Documents(file.File, file.Text).SelectMany(Flat)
                .Select(document => NeedsTiers(document) ? (document, null) : ((YamlField?)null, Object(document, NoTiers, parts)))], null);
        }
        catch (PolicyFaultException fault)
        {
            return ([], new PolicyObject(file.File, "", "", [], fault.All));
        }
    }

    private static bool NeedsTiers(YamlField document) => Tried(document.Find("apiVersion")) is CalicoReader.Version or CalicoReader.StoredVersion;

    /// <summary>The document, or the items of a List.</summary>
    private static IEnumerable<YamlField> Flat(YamlField document)
    {
        var kind = document.Find("kind");
        return kind is not null && document.Find("items") is { IsList: true } items && IsListKind(kind) ? items.Items().Select(item => item.Apart()) : [document];
    }

    private static bool IsListKind(YamlField kind) => Tried(kind).EndsWith("List", StringComparison.Ordinal);

    private static PolicyObject? Object(YamlField document, CalicoTiers tiers, SharedParts parts)
    {
        var (kind, id) = Called(document);
        try
        {
            var policies = Policies(document, tiers);
            document.ThrowKept();
            return policies is null ? null : new PolicyObject(document.Document, kind, policies.Count == 1 ? policies[0].Id : id, [.. policies.Select(parts.In)], []);
        }
        catch (PolicyFaultException fault)
        {
            List<PolicyFaultException> all = [.. document.Kept.Append(fault).Distinct()];
            return new PolicyObject(document.Document, kind, id, [], all);
        }
    }

    private static IReadOnlyList<SegmentPolicy>? Policies(YamlField document, CalicoTiers tiers)
    {
        var entries = document.Entries();
        var kind = entries.TryGetValue("kind", out var field) ? field.Text() : throw document.Fault("has no kind");
        var version = entries.TryGetValue("apiVersion", out field) ? field.Text() : throw document.Fault("has no apiVersion");
        return (version, kind) switch
        {
            ("networking.k8s.io/v1", "NetworkPolicy") => [NetworkPolicyReader.Read(document, DefaultNamespace)],
            ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy") => [ClusterPolicyReader.ReadV1Alpha2(document)],
            ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy") => [ClusterPolicyReader.ReadAdmin(document)],
            ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy") => [ClusterPolicyReader.ReadBaseline(document)],
            ("cilium.io/v2", "CiliumNetworkPolicy" or "CiliumClusterwideNetworkPolicy") => CiliumReader.Read(document, kind, DefaultNamespace),
            (CalicoReader.Version or CalicoReader.StoredVersion, _) when CalicoReader.Knows(kind) => CalicoReader.Read(document, kind, DefaultNamespace, tiers),
            (CalicoReader.Version or CalicoReader.StoredVersion, "Tier") => CalicoTiers.Check(document),
            (ModelJson.Version, ModelJson.Kind) => ModelJson.Read(document),
            _ => throw document.Fault(Unknown(version, kind)),
        };
    }

    private static string Unknown(string version, string kind)
    {
        string[] known =
        [
            "NetworkPolicy of networking.k8s.io/v1", "ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy of policy.networking.k8s.io/v1alpha1",
            "BaselineAdminNetworkPolicy of policy.networking.k8s.io/v1alpha1", "CiliumNetworkPolicy of cilium.io/v2", "CiliumClusterwideNetworkPolicy of cilium.io/v2",
            "NetworkPolicy of projectcalico.org/v3", "GlobalNetworkPolicy of projectcalico.org/v3",
        ];
        var other = known.Where(one => one.StartsWith($"{kind} of ", StringComparison.Ordinal)).Select(one => one[(kind.Length + 4)..]).ToList();
        return other.Count > 0
            ? $"is a {kind} of {version}; this version knows that kind as {string.Join(" and ", other)} only"
            : $"is a {kind} of {version}, which is no policy that can be read; known are {string.Join(", ", known)}";
    }

    /// <summary>What an object calls itself, as far as that can be read.</summary>
    private static (string Kind, string Id) Called(YamlField document)
    {
        var metadata = document.Find("metadata");
        var (space, name) = (Tried(metadata?.Find("namespace")), Tried(metadata?.Find("name")));
        return (Tried(document.Find("kind")), space.Length == 0 ? name : $"{space}/{name}");
    }

    /// <summary>The text; empty where it is none.</summary>
    private static string Tried(YamlField? field) => field is { IsText: true } ? field.Text() : "";

    /// <summary>Of objects of one kind and name, all but the first are at fault.</summary>
    private static List<PolicyObject> Distinct(List<PolicyObject> objects)
    {
        Dictionary<(string, string), PolicyObject> first = [];
        List<PolicyObject> all = [];
        foreach (var one in objects)
        {
            var key = (one.Kind, one.Policies.Count > 0 ? one.Policies[0].Id : one.Id);
            all.Add(one.IsValid && one.Policies.Count > 0 && !first.TryAdd(key, one)
                ? one with { Policies = [], Faults = [new PolicyFaultException(one.Document, 1, "metadata.name", $"'{key.Item2}' stands twice: it is in {first[key].Document} too")] }
                : one);
        }

        return all;
    }
}
