using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Services: their addresses, what their ports meant when, and those without an address as documents.</summary>
internal sealed class ServiceBook(string cluster, AddressBook addresses, DocumentBook documents, NewsBuffer news) : IBook
{
    private sealed class Ports : Listed
    {
        public (string Namespace, string Name) Name { get; set; }

        public string Uid { get; set; } = "";

        public ServicePort[] Said { get; set; } = [];

        /// <summary>Its ports were told before, so one that is new began when it was seen.</summary>
        public bool WasSeen { get; set; }
    }

    private readonly Known<Ports> known = new();
    private readonly Dictionary<(string Namespace, string Name), ulong> byName = [];

    /// <summary>Told when a service came or went: its id, its name, whether it is gone, and when.</summary>
    public event Action<ulong, (string Namespace, string Name), bool, Sight>? Changed;

    /// <summary>The ids of all services by name.</summary>
    public IReadOnlyDictionary<(string Namespace, string Name), ulong> Names => byName;

    /// <summary>The id of the service of this name; 0 where there is none.</summary>
    public ulong Find((string Namespace, string Name) name) => byName.GetValueOrDefault(name);

    public void See(ServiceObject service, bool gone, Sight sight)
    {
        var meta = service.Meta;
        addresses.See(service, service.Addresses, service.Selector, gone, sight);
        if (service.Json.Length > 0 || gone)
        {
            documents.See(ResourceKind.Services, meta, "v1/Service", service.Json, gone, sight);
        }
        else
        {
            documents.Drop(ResourceKind.Services, meta.Uid, sight.AtUs);
        }

        var id = Entity.IdOf(cluster, EntityKind.Service, meta.Uid);
        var ports = known.See(id);
        if (gone)
        {
            Forget(id, ports, sight);
            return;
        }

        var isNew = ports.Uid.Length == 0;
        (ports.Name, ports.Uid) = ((meta.Namespace, meta.Name), meta.Uid);
        byName[ports.Name] = id;
        Tell(id, ports, service, sight);
        if (isNew)
        {
            Changed?.Invoke(id, ports.Name, false, sight);
        }
    }

    public Holder Remember(Entity service)
    {
        known.Remember(service.Id);
        return addresses.Remember(service.Id);
    }

    public void Seed(IEnumerable<ServicePort> held)
    {
        foreach (var service in held.GroupBy(said => said.ServiceId))
        {
            var ports = known.Remember(service.Key);
            (ports.Said, ports.WasSeen) = ([.. service], true);
        }
    }

    public void BeginList(ResourceKind kind)
    {
        known.BeginList();
        addresses.BeginList(kind);
        documents.BeginList(kind);
    }

    public IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs)
    {
        addresses.EndList(kind, atUs);
        documents.EndList(kind, atUs);
        var vanished = known.Vanished();
        foreach (var (id, ports) in vanished)
        {
            Forget(id, ports, new(atUs, Listed: true));
        }

        return [.. vanished.Select(one => one.Key)];
    }

    public void Unread(ResourceKind kind, string uid)
    {
        known.Unread(uid.Length > 0 ? IdOf(kind, uid) : 0);
        addresses.Unread(kind, uid);
        documents.Unread(kind, uid);
    }

    public ulong IdOf(ResourceKind kind, string uid) => Entity.IdOf(cluster, EntityKind.Service, uid);

    public long Count(ResourceKind kind) => known.Count;

    private void Tell(ulong id, Ports ports, ServiceObject service, Sight sight)
    {
        var fromUs = ports.WasSeen ? sight.AtUs : Math.Min(service.Meta.CreatedUs ?? sight.AtUs, sight.AtUs);
        var kept = ports.Said.Where(said => service.Ports.Any(port => Same(said, port))).ToArray();
        var added = service.Ports.Where(port => !kept.Any(said => Same(said, port))).ToArray();
        ports.WasSeen = true;
        if (kept.Length == ports.Said.Length && added.Length == 0)
        {
            return;
        }

        foreach (var said in ports.Said.Except(kept))
        {
            Close(said, sight.AtUs);
        }

        // A port that changed in the microsecond in which it began still is another interval.
        ports.Said =
        [
            .. kept, .. added.Select(port => Open(id, port, ports.Said.Where(said => said.Port == port.Port && said.Protocol == port.Protocol)
                .Aggregate(fromUs, (from, said) => Math.Max(from, said.ValidFromUs + 1)), addresses.Scope, sight.AtUs)),
        ];
    }

    private ServicePort Open(ulong id, PortOfService port, long fromUs, string scope, long nowUs)
    {
        var said = new ServicePort
        {
            IntervalId = ServicePort.IdOf(id, port.Protocol, port.Port, fromUs),
            ServiceId = id,
            Scope = scope,
            Protocol = port.Protocol,
            Port = port.Port,
            Name = port.Name,
            TargetPort = port.TargetPort,
            NodePort = port.NodePort,
            ValidFromUs = fromUs,
            LearnedAtUs = news.LearnUs(nowUs),
        };
        news.Add(said);
        return said;
    }

    private void Close(ServicePort said, long toUs) =>
        news.Add(said with { ValidToUs = Math.Max(toUs, said.ValidFromUs + 1), LearnedAtUs = news.LearnUs(toUs) });

    private static bool Same(ServicePort said, PortOfService port) =>
        said.Port == port.Port && said.Protocol == port.Protocol && said.Name == port.Name && said.TargetPort == port.TargetPort && said.NodePort == port.NodePort;

    private void Forget(ulong id, Ports ports, Sight sight)
    {
        foreach (var said in ports.Said)
        {
            Close(said, sight.AtUs);
        }

        known.Remove(id);

        // A successor of the same name may be there already.
        if (byName.GetValueOrDefault(ports.Name) == id)
        {
            byName.Remove(ports.Name);
        }

        Changed?.Invoke(id, ports.Name, true, sight);
    }
}
