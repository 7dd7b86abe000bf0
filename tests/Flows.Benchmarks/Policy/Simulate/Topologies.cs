using Flows.Core.Facts;

namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>One public application, and landscapes of our own that differ in kind.</summary>
internal static class Topologies
{
    public static IReadOnlyList<Topology> All => [Boutique(), Sidecars(), Pipeline(), Tenants(), Machines(), Monitoring(), Bus()];

    /// <summary>Online Boutique: the sixteen calls between its twelve services, as its manifests and sources have them.</summary>
    private static Topology Boutique()
    {
        var shop = new Topology(Topology.Published)
            .Add("default", "frontend adservice checkoutservice currencyservice emailservice paymentservice productcatalogservice recommendationservice shippingservice cartservice redis-cart loadgenerator")
            .Outside("clients", 60);
        (string Src, string Dst, ushort Port)[] calls =
        [
            ("cartservice", "redis-cart", 6379), ("checkoutservice", "cartservice", 7070), ("checkoutservice", "currencyservice", 7000), ("checkoutservice", "emailservice", 8080),
            ("checkoutservice", "paymentservice", 50051), ("checkoutservice", "productcatalogservice", 3550), ("checkoutservice", "shippingservice", 50051),
            ("frontend", "adservice", 9555), ("frontend", "cartservice", 7070), ("frontend", "checkoutservice", 5050), ("frontend", "currencyservice", 7000),
            ("frontend", "productcatalogservice", 3550), ("frontend", "recommendationservice", 8080), ("frontend", "shippingservice", 50051),
            ("loadgenerator", "frontend", 8080), ("recommendationservice", "productcatalogservice", 3550),
        ];
        calls.ToList().ForEach(call => shop.Needs($"default/{call.Src}", $"default/{call.Dst}", call.Port));
        return shop.Needs("clients", "default/frontend", 8080, perDay: 30).WithCluster();
    }

    /// <summary>A shop whose pods carry a mesh's sidecars: a control plane that all need, and sidecars' own metrics.</summary>
    private static Topology Sidecars()
    {
        var mesh = new Topology("sidecars").Add("mesh", "istiod").Add("mesh", "ingressgateway", replicas: 3)
            .Add("store", "web cart orders stock mail", labels: ("sidecar.istio.io/inject", "true")).Add("store", "db", "StatefulSet").Add("metrics", "prometheus", "StatefulSet", 1)
            .Outside("clients", 40).Outside("smtp.mail.example", 30, named: true);
        foreach (var app in (string[])["web", "cart", "orders", "stock", "mail"])
        {
            mesh.Needs($"store/{app}", "mesh/istiod", 15012, perDay: 4).Needs("metrics/prometheus", $"store/{app}", 15090);
        }

        return mesh.Needs("clients", "mesh/ingressgateway", 8443, perDay: 30).Needs("mesh/ingressgateway", "store/web", 8080).Needs("store/web", "store/cart", 9000).Needs("store/web", "store/stock", 9001)
            .Needs("store/cart", "store/orders", 9002).Needs("store/orders", "store/db", 5432).Needs("store/stock", "store/db", 5432).Needs("store/orders", "store/mail", 2525)
            .Needs("store/mail", "smtp.mail.example", 587, perDay: 10).Rarely("store/stock", "store/mail", 2525).WithCluster();
    }

    /// <summary>Jobs by night, a queue, and object storage whose addresses change daily.</summary>
    private static Topology Pipeline() => new Topology("pipeline")
        .Add("data", "ingest transform serve").Add("data", "queue warehouse", "StatefulSet", 3).Add("data", "nightly-load nightly-report backup", "CronJob")
        .Add("data", "scheduler", replicas: 1).Outside("objects.storage.example", 120, named: true).Outside("feed", 25)
        .Needs("feed", "data/ingest", 9443, perDay: 15).Needs("data/ingest", "data/queue", 9092).Needs("data/transform", "data/queue", 9092).Needs("data/queue", "data/queue", 9093)
        .Needs("data/transform", "data/warehouse", 9000).Needs("data/serve", "data/warehouse", 9000).Needs("data/nightly-load", "data/warehouse", 9000, perDay: 2)
        .Needs("data/nightly-report", "data/serve", 8080, perDay: 2).Needs("data/backup", "objects.storage.example", 443, perDay: 2).Needs("data/transform", "objects.storage.example", 443, perDay: 20)
        .Needs("data/backup", "data/warehouse", 9000, perDay: 1).Needs("data/scheduler", "data/transform", 7000, perDay: 6).Rarely("data/scheduler", "data/warehouse", 9000).WithCluster(5353);

    /// <summary>Tenants whose pods carry equal labels, and what they share.</summary>
    private static Topology Tenants()
    {
        var tenants = new Topology("tenants").Add("shared", "login billing").Add("shared", "search", "StatefulSet");
        foreach (var name in (string[])["red", "green", "blue"])
        {
            tenants.Add(name, "web api worker").Add(name, "db", "StatefulSet", 1).Add(name, "cleanup", "CronJob")
                .Needs($"{name}/web", $"{name}/api", 8080).Needs($"{name}/api", $"{name}/db", 5432).Needs($"{name}/worker", $"{name}/db", 5432).Needs($"{name}/api", "shared/login", 8443)
                .Needs($"{name}/worker", "shared/search", 9200, perDay: 5).Needs($"{name}/cleanup", $"{name}/db", 5432, perDay: 1).Rarely($"{name}/worker", "shared/billing", 7000);
        }

        return tenants.Needs("shared/login", "shared/billing", 7000, perDay: 3).WithCluster();
    }

    /// <summary>Three tiers of which two are VMs and bare metal in private addresses, an agent in the nodes' network, and a bare pod.</summary>
    private static Topology Machines() => new Topology("machines")
        .Add("front", "web", replicas: 3).Add("front", "cache").Add("front", "bridge", "Pod").Add("", "app-vm-1 app-vm-2 db-metal", "Vm").Add("agents", "node-agent", "DaemonSet", 4, host: true)
        .Add("agents", "hub", "StatefulSet", 1).Outside("clients", 50)
        .Needs("clients", "front/web", 8443, perDay: 30).Needs("front/web", "front/cache", 6379).Needs("front/web", "app-vm-1", 9000).Needs("front/web", "app-vm-2", 9000).Needs("app-vm-1", "front/cache", 6379)
        .Needs("app-vm-2", "front/cache", 6379).Needs("front/bridge", "db-metal", 1521).Needs("agents/node-agent", "agents/hub", 4317).Needs("agents/hub", "db-metal", 1521, perDay: 4)
        .Rarely("front/cache", "app-vm-1", 9000).WithCluster();

    /// <summary>A monitor that everything answers to, exporters in the nodes' network, and one that calls out.</summary>
    private static Topology Monitoring()
    {
        var fan = new Topology("monitoring").Add("watch", "prometheus", "StatefulSet", 2).Add("watch", "alertmanager grafana").Add("watch", "node-exporter", "DaemonSet", 4, host: true)
            .Add("apps", string.Join(' ', Enumerable.Range(1, 20).Select(i => $"app{i}"))).Outside("pager.example", 3, named: true);
        for (var i = 1; i <= 20; i++)
        {
            fan.Needs("watch/prometheus", $"apps/app{i}", (ushort)(i % 3 == 0 ? 9102 : 9090), perDay: 24);
        }

        for (var i = 1; i < 20; i += 2)
        {
            fan.Needs($"apps/app{i}", $"apps/app{i + 1}", 8080);
        }

        return fan.Needs("watch/prometheus", "watch/node-exporter", 9100, perDay: 24).Needs("watch/prometheus", "watch/alertmanager", 9093).Needs("watch/grafana", "watch/prometheus", 9090)
            .Needs("watch/alertmanager", "pager.example", 443, perDay: 3).Rarely("apps/app1", "apps/app20", 8080).WithCluster();
    }

    /// <summary>A message bus in the middle, telemetry over UDP on a high port, and workers that know nobody but the bus.</summary>
    private static Topology Bus()
    {
        var bus = new Topology("bus").Add("bus", "nats", "StatefulSet", 3).Add("bus", "statsd", replicas: 1).Add("jobs", string.Join(' ', Enumerable.Range(1, 12).Select(i => $"worker-{i}"))).Add("jobs", "gateway")
            .Add("jobs", "archive", "CronJob").Outside("clients", 35);
        for (var i = 1; i <= 12; i++)
        {
            bus.Needs($"jobs/worker-{i}", "bus/nats", 4222).Needs($"jobs/worker-{i}", "bus/statsd", 8125, protocol: IpProtocol.Udp);
        }

        return bus.Needs("clients", "jobs/gateway", 8443, perDay: 30).Needs("jobs/gateway", "bus/nats", 4222).Needs("bus/nats", "bus/nats", 6222).Needs("jobs/archive", "bus/nats", 4222, perDay: 1)
            .Rarely("jobs/worker-1", "jobs/worker-2", 9000).Rarely("jobs/gateway", "jobs/worker-3", 9000).WithCluster();
    }
}
