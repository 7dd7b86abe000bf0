using Flows.Core.Identity;

namespace Flows.Core.Labels;

/// <summary>
/// How entities get the few labels in which people think: which application, which part of it, which environment, where. Pure. For each key the first rule that
/// matches and has a value wins.
/// </summary>
/// <param name="Keys">The keys that everything should have, in the order shown.</param>
/// <param name="Rules">In order.</param>
public sealed record LabelRules(IReadOnlyList<string> Keys, IReadOnlyList<LabelRule> Rules)
{
    public const string App = "app";
    public const string Role = "role";
    public const string Env = "env";
    public const string Location = "location";

    public static IReadOnlyList<string> DefaultKeys { get; } = [App, Role, Env, Location];

    /// <summary>What is meant where nobody wrote rules: the recommended labels of Kubernetes, common habits, and what machines say of themselves.</summary>
    public static LabelRules Default { get; } = LabelRulesReader.Read("the built-in rules", DefaultText);

    /// <summary>The default as a file, to begin one's own from.</summary>
    public const string DefaultText = """
        # Which labels people think in, and from what they are made. For each key the first rule that matches and has a value wins.
        keys: [app, role, env, location]
        rules:
          - name: recommended labels
            set:
              app: "${label:app.kubernetes.io/part-of}"
              role: "${label:app.kubernetes.io/component}"
          - name: recommended name
            set: {app: "${label:app.kubernetes.io/name}"}
          - name: same word
            set: {app: "${label:app}", role: "${label:role}", env: "${label:env}", location: "${label:location}"}
          - name: other words
            set: {app: "${label:k8s-app}", role: "${label:tier}", env: "${label:environment}", location: "${label:topology.kubernetes.io/region}"}
          - name: production namespaces
            when: {namespace: [prod, production, "prod-*", "*-prod", "*-production"]}
            set: {env: prod}
          - name: staging namespaces
            when: {namespace: [staging, stage, "staging-*", "*-staging", "*-stage"]}
            set: {env: staging}
          - name: development namespaces
            when: {namespace: [dev, development, "dev-*", "*-dev"]}
            set: {env: dev}
          - name: cluster parts
            when: {namespace: [kube-system, "kube-*"]}
            set: {app: kubernetes}
          - name: the cloud says
            set: {location: "${label:host.cloud_region}"}
          - name: workload
            when: {kind: pod}
            set: {app: "${workload}"}

        """;

    /// <summary>The labels of an entity, each with the rule that gave it.</summary>
    /// <param name="entity">Its attributes and labels as last known.</param>
    /// <param name="addresses">Addresses and ranges that it holds, for rules that ask for a CIDR.</param>
    public BusinessLabels Apply(Entity entity, IReadOnlyCollection<AddressRange>? addresses = null)
    {
        var labels = new Dictionary<string, BusinessLabel>(StringComparer.Ordinal);
        foreach (var rule in Rules.Where(rule => rule.Matches(entity, addresses ?? [])))
        {
            foreach (var (key, template) in rule.Set)
            {
                if (!labels.ContainsKey(key) && template.For(entity) is { } value)
                {
                    labels.Add(key, new(key, value, rule.Name, template.Text));
                }
            }
        }

        return labels.Count == 0 ? BusinessLabels.None : new([.. Keys.Where(labels.ContainsKey).Select(key => labels[key])]);
    }
}
