namespace Flows.Core.Policy;

/// <summary>The tiers that Calico's policies stand in: the ones that every installation has, and those that the files define.</summary>
internal sealed class CalicoTiers
{
    public const string Default = "default";

    /// <summary>Every tier by its name there, and whether what its policies do not decide is denied.</summary>
    private readonly Dictionary<string, (Tier Tier, bool Denies)> tiers = new(StringComparer.Ordinal)
    {
        [Default] = (Tier.Application, true),
        ["kube-admin"] = (Tier.Admin, false),
        ["kube-baseline"] = (Tier.Baseline, false),
    };

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

    public (Tier Tier, bool Denies) Find(YamlField? name) => tiers.TryGetValue(name?.Text() ?? Default, out var found)
        ? found
        : throw name!.Fault($"'{name.Text()}' is a tier that no Tier object here defines");

    private void Add(YamlField document)
    {
        var name = ObjectNames.OfCluster(document);
        var spec = document.Find("spec");
        var denies = spec?.Find("defaultAction")?.Text() is not "Pass";
        if (name == Default)
        {
            tiers[Default] = (Tier.Application, denies);
        }
        else
        {
            tiers[name] = (new Tier(name, spec?.Find("order")?.Decimal() ?? double.MaxValue), denies);
        }
    }
}
