using Flows.Core;
using Flows.Core.Policy;
using Flows.Verbs;
using Flows.Web;

namespace Flows;

/// <summary>
/// Policies for pages: what the verbs <c>suggest</c>, <c>test</c> and <c>plan</c> would say of the store as it is. Each suggestion reads with a reader of its own, which nobody
/// else waits for and which the writer does not notice. Thread safe.
/// </summary>
internal sealed class PolicyAnswers(string directory, TimeProvider time) : IDisposable
{
    private readonly RecentAnswer<PolicyQuestion, SuggestedPolicies> recent = new(question => Suggest(new DirectoryInfo(directory), question, time), time);

    /// <exception cref="FlowsException">The question cannot be answered, such as where the store knows several clusters and none is named.</exception>
    public SuggestedPolicies Ask(PolicyQuestion question, bool fresh) => recent.Ask(question, fresh);

    public void Dispose() => recent.Dispose();

    private static SuggestedPolicies Suggest(DirectoryInfo directory, PolicyQuestion question, TimeProvider time)
    {
        var derivedUs = time.NowUs();
        var (sinceUs, untilUs) = CommonOptions.Span(question.Since, question.Until, time);
        var seen = PolicyStore.Read(directory, sinceUs, untilUs, question.Cluster, dialect: null);
        var input = seen.Observed with { Level = question.Level, Target = question.Target, Only = question.Segment };
        var suggestion = PolicySuggester.Suggest(input);
        var written = RenderedSuggestion.Of(input, suggestion.Set);

        // The texts, not the model, run over what was seen: they are what somebody will apply.
        var replay = written.ReadBack is { } read ? PolicyReplay.Run(seen.Input, read(), seen.Options with { Whole = false }) : null;
        var plan = new Lazy<RolloutPlan>(() =>
            RolloutPlanner.Plan(seen.Input, seen.ClusterPolicies ?? PolicySet.Empty, suggestion.Set, seen.Options, new SuggestedReadiness(suggestion)));
        return new SuggestedPolicies
        {
            Cluster = input.Cluster,
            DerivedUs = derivedUs,
            Suggestion = suggestion,
            Losses = written.Losses,
            Replay = replay,
            TextOf = policy => RenderedSuggestion.Of(input, new PolicySet([policy])).Files,
            Files = () => PolicyFiles.Of(RenderedSuggestion.Of(input, suggestion.Set).Files, suggestion),
            Plan = () => plan.Value,
        };
    }
}
