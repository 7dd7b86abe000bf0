using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Tells for which services a pod answers. Looked up by a label that the selector asks for: every pod with every service would be 10^9 questions in a large cluster.</summary>
internal sealed class ServiceMembers
{
    private readonly Dictionary<(string Namespace, string Key, string Value), List<FleetService>> bySelector = [];
    private readonly Dictionary<string, List<string>> byPod = new(StringComparer.Ordinal);
    private readonly Dictionary<NetAddress, List<string>> byAddress = [];

    public ServiceMembers(IEnumerable<FleetService> services)
    {
        foreach (var service in services)
        {
            if (service.Slices is null)
            {
                if (service.Selector is { } selector)
                {
                    Bucket(bySelector, (service.Namespace, selector.Requirements[0].Key, selector.Requirements[0].Values[0])).Add(service);
                }

                continue;
            }

            foreach (var endpoint in service.Slices.SelectMany(slice => slice.Endpoints))
            {
                (endpoint.Pod.Length > 0 ? Bucket(byPod, endpoint.Pod) : Bucket(byAddress, endpoint.Address)).Add(service.Id);
            }
        }
    }

    /// <summary>The pod with the services that it answers for.</summary>
    public FleetPod Join(FleetPod pod)
    {
        var selecting = pod.Party.Labels
            .SelectMany(label => bySelector.GetValueOrDefault((pod.Party.Namespace, label.Key, label.Value)) ?? [])
            .Where(service => service.Selector!.Matches(pod.Party.Labels)).Select(service => service.Id);
        List<string> all = [.. selecting.Concat(byPod.GetValueOrDefault(pod.Party.Id) ?? []).Concat(pod.Party.Selectable ? pod.Addresses.SelectMany(At) : []).Distinct(StringComparer.Ordinal)];
        return all.Count == 0 ? pod : pod with { Party = pod.Party with { Services = all } };
    }

    /// <summary>The services that an address answers for without being known to be a certain pod's.</summary>
    public IReadOnlyList<string> At(NetAddress address) => byAddress.GetValueOrDefault(address) ?? [];

    private static List<TItem> Bucket<TKey, TItem>(Dictionary<TKey, List<TItem>> of, TKey key) where TKey : notnull => of.TryGetValue(key, out var bucket) ? bucket : of[key] = [];
}
