using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>A suggestion as files for its target.</summary>
/// <param name="Readable">What the files mean, read back; null for those that no reader takes.</param>
internal sealed record SuggestedFiles(IReadOnlyList<PolicyFile> Files, PolicySet? Readable, IReadOnlyList<Loss> Losses)
{
    public static SuggestedFiles Of(PolicyInput input, Suggestion suggestion)
    {
        List<PolicyFile> files = [];
        List<Loss> losses = [];
        PolicySet? readable = null;
        if (input.Target == SuggestTarget.Kubernetes)
        {
            files.AddRange(PolicyFiles.NetworkPolicies(suggestion));
            readable = KubernetesReader.Read(files.Select(file => new PolicyDocument(file.Name, file.Text)));
        }
        else if (input.Target == SuggestTarget.Nftables)
        {
            foreach (var host in suggestion.Set.Policies.Where(policy => policy.Target is HostSegment))
            {
                var rendering = NftablesWriter.Render(new PolicySet([host]), SuggestedHosts.Of(input, host.Subject));
                files.AddRange(rendering.Files.Select(file => new PolicyFile($"{host.Subject}/{file.Name}", file.Text, IsPolicy: true)));
                losses.AddRange(rendering.Losses);
            }
        }
        else
        {
            var rendering = PolicyRenderer.Render(suggestion.Set, input.Target.Writer);
            files.AddRange(rendering.Files.Select(file => new PolicyFile(file.Name, file.Text, IsPolicy: true)));
            losses.AddRange(rendering.Losses);
            readable = PolicyReader.Read(rendering.Documents);
        }

        files.AddRange(PolicyFiles.Companions(suggestion));
        return new(PolicyFiles.Indexed(files), readable, losses);
    }
}
