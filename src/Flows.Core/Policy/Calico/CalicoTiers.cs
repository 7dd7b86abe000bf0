using System.Globalization;

namespace Flows.Core.Policy;

/// <summary>The tiers that Calico's policies stand in: the ones that every installation has, and those that the files define.</summary>
internal sealed class CalicoTiers
{
    public const string Default = "default";

    /// <summary>The tiers that every installation has, which nobody can give another order or default.</summary>
    private static readonly Dictionary<string, (Tier Tier, bool Denies)> BuiltIn = new(StringComparer.Ordinal)
    {
        [Default] = (Tier.Application, true),
        ["kube-admin"] = (Tier.Admin, false),
        ["kube-baseline"] = (Tier.Baseline, false),
    };

    /// <summary>Every tier by its name there, and whether what its policies do not decide is denied.</summary>
    private readonly Dictionary<string, (Tier Tier, bool Denies)> tiers = new(BuiltIn, StringComparer.Ordinal);

    /// <summary>Takes in the Tier objects; whatever is wrong with one is said when a policy asks for it.</summary>
    public static CalicoTiers Of(IEnumerable<YamlField> documents)
    {
        var all = new CalicoTiers();
        foreach (var document in documents)
        {
            try
            {
                if (document.Find("kind")?.Text() == "Tier" && document.Find("apiVersion")?.Text() is CalicoReader.Version or CalicoReader.StoredVersion)
                {
                    all.Add(document);
                }
            }
            catch (PolicyFaultException)
            {
                // The object is read again as what it claims to be, and says then what is wrong.
                continue;
            }
        }

        return all;
    }

    /// <summary>Checks a Tier object; no policy comes of it.</summary>
    public static IReadOnlyList<SegmentPolicy>? Check(YamlField document)
    {
        var (name, tier, denies) = Read(document);
        return !BuiltIn.TryGetValue(name, out var fixedly) || (fixedly.Tier.Order == tier.Order && fixedly.Denies == denies) ? null
            : throw document.Find("spec")!.Fault(string.Create(CultureInfo.InvariantCulture,
                $"must have order {fixedly.Tier.Order} and defaultAction {(fixedly.Denies ? "Deny" : "Pass")}, which nobody can change of '{name}'"));
    }

    public (Tier Tier, bool Denies) Find(YamlField? name) => tiers.TryGetValue(name?.Text() ?? Default, out var found)
        ? found
        : throw name!.Fault($"'{name.Text()}' is a tier that no Tier object here defines");

    private void Add(YamlField document)
    {
        var (name, tier, denies) = Read(document);
        tiers.TryAdd(name, (tier, denies));
    }

    /// <summary>A tier without an order comes last.</summary>
    private static (string Name, Tier Tier, bool Denies) Read(YamlField document)
    {
        _ = document.Fields("apiVersion", "kind", "metadata", "spec", "status");
        var name = ObjectNames.OfCluster(document);
        var spec = document.Find("spec") ?? throw document.Fault("has no spec");
        var fields = spec.Fields("order", "defaultAction");
        var action = fields.GetValueOrDefault("defaultAction");
        return !KubernetesGrammar.IsDnsLabel(name) ? throw document.Find("metadata")!.Find("name")!.Fault($"'{name}' is no name for a tier: at most 63 of a-z, 0-9 and dashes")
            : action is not null && action.Text() is not ("Deny" or "Pass") ? throw action.Fault($"'{action.Text()}' is neither Deny nor Pass")
            : (name, new Tier(name, fields.GetValueOrDefault("order")?.Decimal() ?? double.MaxValue), action?.Text() is not "Pass");
    }
}
