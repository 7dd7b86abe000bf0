using System.Runtime.InteropServices;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Which endpoints stood behind which service when, over all slices of the service: an endpoint may be in several, and move between them.</summary>
internal sealed class BackendBook(string cluster, string scope, NewsBuffer news, PodBook pods, ServiceBook services) : IBook
{
    private sealed class Slice : Listed
    {
        public (string Namespace, string Name) Service { get; set; }

        public long CreatedUs { get; set; }

        public Candidate[] Endpoints { get; set; } = [];

        public PortOfSlice[] Ports { get; set; } = [];
    }

    /// <summary>An endpoint with its pod's id, which is a tenth of its uid.</summary>
    private readonly record struct Candidate(NetAddress Address, ulong TargetId, bool Ready, bool Serving, bool Terminating);

    private readonly record struct Place(NetAddress Address, byte Protocol, ushort Port, string Name);

    /// <summary>What was stated and still holds: half the size of the statement, of which there is one for each pod of each service.</summary>
    private readonly record struct Said(Place Place, Candidate State, long FromUs);

    private readonly Known<Slice> known = new();
    private readonly Dictionary<(string Namespace, string Name), List<Slice>> byService = [];
    private readonly Dictionary<ulong, Said[]> said = [];
    private readonly HashSet<(string Namespace, string Name)> doubtful = [];

    public void See(SliceObject one, bool gone, Sight sight)
    {
        var id = IdOf(one.Meta.Uid);
        var slice = known.See(id);
        var before = slice.Service;
        Leave(slice);
        if (gone)
        {
            known.Remove(id);
        }
        else
        {
            slice.Service = one.Service.Length > 0 ? (one.Meta.Namespace, one.Service) : default;
            slice.CreatedUs = one.Meta.CreatedUs ?? sight.AtUs;
            slice.Endpoints = [.. one.Endpoints.Select(CandidateOf)];
            slice.Ports = [.. one.Ports];
            Join(slice);
        }

        foreach (var name in new[] { before, slice.Service }.Distinct().Where(name => name.Name is not null))
        {
            Refresh(services.Find(name), name, gone: false, sight);
        }
    }

    /// <summary>Says what changed about the backends of a service. While a list is read nothing is taken back: another slice may still bring it.</summary>
    public void Refresh(ulong service, (string Namespace, string Name) name, bool gone, Sight sight)
    {
        if (service == 0)
        {
            return;
        }

        var now = gone ? [] : Wanted(name);
        var before = said.GetValueOrDefault(service) ?? [];
        var keep = new List<Said>(now.Count);
        foreach (var one in before)
        {
            if (now.TryGetValue(one.Place, out var candidate) && one.State == candidate.Best)
            {
                keep.Add(one);
                now.Remove(one.Place);
            }
            else if (sight.Listed && !gone)
            {
                keep.Add(one);
                now.Remove(one.Place);
                doubtful.Add(name);
            }
            else
            {
                news.Add(BackendOf(service, one, Math.Max(sight.AtUs, one.FromUs + 1), sight));
            }
        }

        if (now.Count == 0 && keep.Count == before.Length)
        {
            return;
        }

        Said[] after = [.. keep, .. now.Select(place => Open(service, place.Key, place.Value, before, sight))];
        if (after.Length > 0)
        {
            said[service] = after;
        }
        else
        {
            said.Remove(service);
        }
    }

    public void Seed(IEnumerable<Backend> held)
    {
        foreach (var service in held.GroupBy(one => one.ServiceId))
        {
            said[service.Key] = [.. service.Select(SaidOf)];
        }
    }

    public void BeginList(ResourceKind kind)
    {
        known.BeginList();
        doubtful.Clear();
    }

    public IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs)
    {
        var vanished = known.Vanished();
        foreach (var (id, slice) in vanished)
        {
            Leave(slice);
            known.Remove(id);
            doubtful.Add(slice.Service);
        }

        // What was remembered of services without slices had no list to be doubted in.
        foreach (var name in services.Names.Where(one => said.ContainsKey(one.Value) && !byService.ContainsKey(one.Key)).Select(one => one.Key))
        {
            doubtful.Add(name);
        }

        foreach (var name in doubtful.Where(name => name.Name is not null))
        {
            Refresh(services.Find(name), name, gone: false, new(atUs, Listed: false));
        }

        doubtful.Clear();
        return [.. vanished.Select(one => one.Key)];
    }

    public void Unread(ResourceKind kind, string uid) => known.Unread(uid.Length > 0 ? IdOf(uid) : 0);

    public ulong IdOf(ResourceKind kind, string uid) => IdOf(uid);

    public long Count(ResourceKind kind) => known.Count;

    private static ulong IdOf(string uid) => StableId.Of("slice", uid);

    private Candidate CandidateOf(Endpoint one) => new(
        one.Address, one.TargetUid.Length > 0 ? Entity.IdOf(cluster, EntityKind.Pod, one.TargetUid) : 0, one.Ready, one.Serving, one.Terminating);

    private void Join(Slice slice)
    {
        if (slice.Service.Name is not null)
        {
            ref var slices = ref CollectionsMarshal.GetValueRefOrAddDefault(byService, slice.Service, out _);
            (slices ??= new(1)).Add(slice);
        }
    }

    private void Leave(Slice slice)
    {
        if (slice.Service.Name is not null && byService.TryGetValue(slice.Service, out var slices))
        {
            slices.Remove(slice);
            if (slices.Count == 0)
            {
                byService.Remove(slice.Service);
            }
        }
    }

    /// <summary>The best candidate at each address and port, with the creation of its slice.</summary>
    private Dictionary<Place, (Candidate Best, long CreatedUs)> Wanted((string Namespace, string Name) name)
    {
        var wanted = new Dictionary<Place, (Candidate Best, long CreatedUs)>();
        foreach (var slice in byService.GetValueOrDefault(name) ?? [])
        {
            foreach (var candidate in slice.Endpoints)
            {
                foreach (var port in slice.Ports)
                {
                    ref var best = ref CollectionsMarshal.GetValueRefOrAddDefault(wanted, new(candidate.Address, port.Protocol, port.Port, port.Name), out var exists);
                    if (!exists || Rank(candidate) > Rank(best.Best))
                    {
                        best = (candidate, slice.CreatedUs);
                    }
                }
            }
        }

        return wanted;
    }

    /// <summary>A pod that holds an address beats one that is over, then ready beats serving beats terminating.</summary>
    private int Rank(Candidate one) =>
        (pods.HoldsSince(one.TargetId) is not null ? 16 : 0) + (one.TargetId != 0 ? 8 : 0) + (one.Ready ? 4 : 0) + (one.Serving ? 2 : 0) + (one.Terminating ? 0 : 1);

    private static Said SaidOf(Backend one) => new(
        new(one.Address, one.Protocol, one.Port, one.PortName), new(one.Address, one.TargetId, one.Ready, one.Serving, one.Terminating), one.ValidFromUs);

    private Said Open(ulong service, Place place, (Candidate Best, long CreatedUs) what, Said[] before, Sight sight)
    {
        // In a list it is older than our knowledge: no older than its slice or its pod. One that was said before begins now.
        var fromUs = sight.Listed ? Math.Min(Math.Max(what.CreatedUs, pods.HoldsSince(what.Best.TargetId) ?? 0), sight.AtUs) : sight.AtUs;
        foreach (var one in before)
        {
            var isSame = one.Place with { Name = place.Name } == place;
            fromUs = isSame ? Math.Max(fromUs, one.FromUs + 1) : fromUs;
        }

        var opened = new Said(place, what.Best, fromUs);
        news.Add(BackendOf(service, opened, toUs: null, sight));
        return opened;
    }

    private Backend BackendOf(ulong service, Said one, long? toUs, Sight sight) => new()
    {
        IntervalId = Backend.IdOf(service, one.Place.Address, one.Place.Protocol, one.Place.Port, one.FromUs, one.Place.Name),
        ServiceId = service,
        Scope = scope,
        Address = one.Place.Address,
        Protocol = one.Place.Protocol,
        Port = one.Place.Port,
        PortName = one.Place.Name,
        TargetId = one.State.TargetId,
        Ready = one.State.Ready,
        Serving = one.State.Serving,
        Terminating = one.State.Terminating,
        ValidFromUs = one.FromUs,
        ValidToUs = toUs,
        LearnedAtUs = news.LearnUs(sight.AtUs),
    };
}
