using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>The policies of a suggestion in the words of its target.</summary>
/// <param name="ReadBack">Reads what the files mean; null for those that no reader takes.</param>
/// <param name="Losses">What the target cannot say.</param>
internal sealed record RenderedSuggestion(IReadOnlyList<RenderedFile> Files, Func<PolicySet>? ReadBack, IReadOnlyList<Loss> Losses)
{
    public static RenderedSuggestion Of(PolicyInput input, PolicySet suggested)
    {
        if (input.Target == SuggestTarget.Kubernetes)
        {
            var files = PolicyFiles.NetworkPolicies(suggested);
            return new(files, () => KubernetesReader.Read(files.Select(file => new PolicyDocument(file.Name, file.Text))), []);
        }

        if (input.Target == SuggestTarget.Nftables)
        {
            var hosts = suggested.Policies.Where(policy => policy.Target is HostSegment)
                .Select(host => (Name: host.Subject, Rendering: NftablesWriter.Render(new PolicySet([host]), SuggestedHosts.Of(input, host.Subject)))).ToList();
            return new(
                [.. hosts.SelectMany(host => host.Rendering.Files.Select(file => file with { Name = $"{host.Name}/{file.Name}" }))],
                ReadBack: null,
                [.. hosts.SelectMany(host => host.Rendering.Losses)]);
        }

        var rendering = PolicyRenderer.Render(suggested, input.Target.Writer);
        return new(rendering.Files, () => PolicyReader.Read(rendering.Documents), rendering.Losses);
    }
}
