using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>A suggestion as files for its target.</summary>
/// <param name="Files">The policies; with <see cref="Of"/> also what stands beside them.</param>
/// <param name="Readable">What the files mean, read back; null for those that no reader takes.</param>
internal sealed record SuggestedFiles(IReadOnlyList<PolicyFile> Files, PolicySet? Readable, IReadOnlyList<Loss> Losses)
{
    /// <summary>The policies with their evidence, readiness, review and index: a directory as the verb writes it.</summary>
    public static SuggestedFiles Of(PolicyInput input, Suggestion suggestion)
    {
        var policies = PoliciesOf(input, suggestion.Set);
        return policies with { Files = PolicyFiles.Indexed([.. policies.Files, .. PolicyFiles.Companions(suggestion)]) };
    }

    /// <summary>The policies alone.</summary>
    public static SuggestedFiles PoliciesOf(PolicyInput input, PolicySet suggested)
    {
        List<PolicyFile> files = [];
        List<Loss> losses = [];
        PolicySet? readable = null;
        if (input.Target == SuggestTarget.Kubernetes)
        {
            files.AddRange(PolicyFiles.NetworkPolicies(suggested));
            readable = KubernetesReader.Read(files.Select(file => new PolicyDocument(file.Name, file.Text)));
        }
        else if (input.Target == SuggestTarget.Nftables)
        {
            foreach (var host in suggested.Policies.Where(policy => policy.Target is HostSegment))
            {
                var rendering = NftablesWriter.Render(new PolicySet([host]), SuggestedHosts.Of(input, host.Subject));
                files.AddRange(rendering.Files.Select(file => new PolicyFile($"{host.Subject}/{file.Name}", file.Text, IsPolicy: true)));
                losses.AddRange(rendering.Losses);
            }
        }
        else
        {
            var rendering = PolicyRenderer.Render(suggested, input.Target.Writer);
            files.AddRange(rendering.Files.Select(file => new PolicyFile(file.Name, file.Text, IsPolicy: true)));
            losses.AddRange(rendering.Losses);
            readable = PolicyReader.Read(rendering.Documents);
        }

        return new(files, readable, losses);
    }
}
