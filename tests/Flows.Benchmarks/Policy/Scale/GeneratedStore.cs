using System.Globalization;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Benchmarks.Policy.Scale;

/// <summary>
/// A store whose files are made by SQL: namespaces of a hundred workloads with two pods each, every workload a client of three others. One edge in twenty
/// is used every hour of 30 days, the others about once a day. One pod in a hundred was relabelled halfway.
/// </summary>
internal static class GeneratedStore
{
    private const int PerNamespace = 100;
    private const int Servers = 3;
    private const int Days = 30;
    private const int Nodes = 100;

    // 2026-01-01T00:00:00Z.
    private const long StartUs = 1_767_225_600_000_000;
    private const long DayUs = 24 * 60 * UnixTime.Minute;

    // One in two hundred workloads has a policy that forgets one of its clients.
    private const int ForgetfulEvery = 200;

    /// <summary>Makes what is not there yet.</summary>
    /// <returns>Rows of hourly edges.</returns>
    public static long Make(string store, string policies, int workloads)
    {
        workloads = (workloads + PerNamespace - 1) / PerNamespace * PerNamespace;
        if (!Directory.Exists(policies))
        {
            Directory.CreateDirectory(policies);
            for (var first = 0; first < workloads; first += PerNamespace)
            {
                File.WriteAllText(
                    Path.Combine(policies, string.Create(CultureInfo.InvariantCulture, $"ns-{first / PerNamespace}.yaml")),
                    string.Concat(Enumerable.Range(first, PerNamespace).Select(number => "---\n" + KubernetesWriter.Write(PolicyOf(number), evidence: null))));
            }
        }

        if (File.Exists(Path.Combine(store, StoreLayout.Manifest)))
        {
            return Manifest.Read(store).FilesOf(StoreLayout.Edges).Sum(file => file.Rows);
        }

        Directory.CreateDirectory(store);
        using var engine = Engine.Start(2048, 2, Path.Combine(store, StoreLayout.Temporary));
        var files = new StoreFiles(store, engine);
        var manifest = Manifest.Empty with
        {
            Nodes = Enumerable.Range(1, Nodes).ToDictionary(node => Manifest.Key((ulong)node), node => $"node-{node}"),
            Scopes = new Dictionary<string, string> { [Manifest.Key(StableId.OfScope("default"))] = "default" },
        };
        manifest = manifest.With(StoreLayout.Identities, [files.Write(StoreLayout.Plain(StoreLayout.Identities, "seal", 1), Statements(workloads), "learned_at, interval_id", "learned_at")!]);
        manifest = manifest.With(StoreLayout.Entities, [files.Write(StoreLayout.Plain(StoreLayout.Entities, "living", 1), Entities(workloads), "entity_id", null)!]);
        manifest = manifest.With(StoreLayout.Edges, [.. Enumerable.Range(0, Days).Select(day => files.Write(
            StoreLayout.Dated(StoreLayout.Edges, "hour0", StartUs + (day * DayUs), StartUs + ((day + 1) * DayUs) - 1, 1), Edges(workloads, day), "bucket, src_entity, dst_entity", "bucket")!)]);
        manifest.Write(store);
        return manifest.FilesOf(StoreLayout.Edges).Sum(file => file.Rows);
    }

    private static string Pods(int workloads) => string.Create(CultureInfo.InvariantCulture, $"""
        (SELECT (p + 1)::UBIGINT AS entity_id, 'pod' AS kind, 'default' AS scope, 'uid-' || p AS uid, 'c1' AS cluster, 'ns-' || (p // 2 // {PerNamespace}) AS namespace,
            'w' || (p // 2) || '-' || (p % 2) AS name, 'Deployment' AS workload_kind, 'w' || (p // 2) AS workload, 'node-' || {NodeOf("p")} AS node, false AS host_network,
            format('{Labels}', p // 2, p // 2 % 20) AS labels,
            format('{Selector}', p // 2) AS selector, p
        FROM range(0, {workloads * 2}) t(p))
        """);

    private const string Labels = "{{\"app\":\"w{}\",\"part-of\":\"group-{}\",\"tier\":\"backend\"}}";
    private const string Selector = "{{\"app\":\"w{}\"}}";

    /// <summary>The node of a pod by number; it and the node of the other end see a connection.</summary>
    private static string NodeOf(string pod) => string.Create(CultureInfo.InvariantCulture, $"(({pod}) % {Nodes} + 1)::UBIGINT");

    private static string Entities(int workloads) => $"SELECT * EXCLUDE (p) FROM {Pods(workloads)}";

    /// <summary>A relabelled pod has two intervals.</summary>
    private static string Statements(int workloads)
    {
        var half = Engine.Time(StartUs + (Days / 2 * DayUs));
        const string Columns = "scope, unhex('00000000000000000000ffff' || printf('%08x', 167772160 + p)) AS addr, 128::UTINYINT AS prefix_len, kind, uid, cluster, namespace, name, workload_kind, workload, node, host_network";
        return string.Create(CultureInfo.InvariantCulture, $"""
            SELECT (p + 1)::UBIGINT AS interval_id, entity_id, {Columns}, CASE WHEN p % 100 = 0 THEN replace(labels, 'backend', 'frontend') ELSE labels END AS labels, selector,
                {Engine.Time(StartUs)} AS valid_from, CASE WHEN p % 100 = 0 THEN {half} END AS valid_to, {Engine.Time(StartUs)} AS learned_at, NULL::TIMESTAMP AS revoked_at,
                'kubernetes' AS origin, false AS end_uncertain FROM {Pods(workloads)}
            UNION ALL
            SELECT (p + 1 + {workloads * 2})::UBIGINT, entity_id, {Columns}, labels, selector, {half}, NULL, {half}, NULL, 'kubernetes', false FROM {Pods(workloads)} WHERE p % 100 = 0
            """);
    }

    private static string Edges(int workloads, int day) => string.Create(CultureInfo.InvariantCulture, $"""
        SELECT make_timestamp({StartUs + (day * DayUs)} + h * 3600000000) AS bucket, (2 * w + q + 1)::UBIGINT AS src_entity,
            (2 * (w - w % {PerNamespace} + (w % {PerNamespace} + 1 + k * 7) % {PerNamespace}) + q + 1)::UBIGINT AS dst_entity, NULL::UBIGINT AS svc_entity, 6::UTINYINT AS protocol,
            (8080 + k)::USMALLINT AS dst_port, NULL::USMALLINT AS svc_port, 5::BIGINT AS connections, 5::BIGINT AS answered, 0::BIGINT AS refused, 0::BIGINT AS unanswered,
            5::BIGINT AS direction_trusted, 0::BIGINT AS snat_unresolved, 4000::BIGINT AS fwd_bytes, 90000::BIGINT AS rev_bytes, 40::BIGINT AS fwd_packets, 90::BIGINT AS rev_packets,
            bucket AS first_seen, bucket + INTERVAL 50 MINUTE AS last_seen, list_distinct([{NodeOf("src_entity - 1")}, {NodeOf("dst_entity - 1")}]) AS nodes, 1::UTINYINT AS src_resolved_by,
            1::UTINYINT AS dst_resolved_by
        FROM range(0, {workloads}) a(w), range(0, {Servers}) b(k), range(0, 2) c(q), range(0, 24) d(h)
        WHERE ((w * {Servers} + k) * 2 + q) % 20 = 0 OR (w * 31 + k * 7 + q * 3 + h + {day} * 5) % 24 = 0
        """);

    /// <summary>What the workload's three clients and three servers need.</summary>
    private static SegmentPolicy PolicyOf(int number)
    {
        var (first, place) = (number / PerNamespace * PerNamespace, number % PerNamespace);
        var space = string.Create(CultureInfo.InvariantCulture, $"ns-{number / PerNamespace}");
        int Server(int k) => first + ((place + 1 + (k * 7)) % PerNamespace);
        int Client(int k) => first + ((place - 1 - (k * 7) + PerNamespace) % PerNamespace);
        LabelSelector App(int other) => LabelSelector.Of([new("app", string.Create(CultureInfo.InvariantCulture, $"w{other}"))]);
        Rule With(int other, int k) => new() { Peers = [PodSegment.In(space, App(other))], Ports = [PortMatch.Of(IpProtocol.Tcp, (ushort)(8080 + k))] };
        return SegmentPolicy.For(space, string.Create(CultureInfo.InvariantCulture, $"w{number}-deployment"), App(number)) with
        {
            Ingress = [.. Enumerable.Range(number % ForgetfulEvery == 0 ? 1 : 0, number % ForgetfulEvery == 0 ? Servers - 1 : Servers).Select(k => With(Client(k), k))],
            Egress = [.. Enumerable.Range(0, Servers).Select(k => With(Server(k), k))],
        };
    }
}
