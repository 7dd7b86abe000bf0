using System.Text.Json;
using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>Fills temporary tables of the small kinds, row by row.</summary>
internal static class RowWriter
{
    public static void Identities(Engine engine, string table, IEnumerable<IdentityInterval> statements) => Append(engine, table, TableColumns.Identities, statements, (row, statement) => Attributes(
        row.AppendValue(statement.IntervalId).AppendValue(statement.Entity.Id).AppendValue(statement.Entity.Scope).AppendValue(statement.Address.ToBytes())
            .AppendValue(statement.PrefixLength).AppendValue(Entity.TextOf(statement.Entity.Kind)), statement.Entity)
        .AppendValue(Time(statement.ValidFromUs)).AppendValue(statement.ValidToUs is { } to ? Time(to) : null).AppendValue(Time(statement.LearnedAtUs))
        .AppendValue(statement.RevokedAtUs is { } revoked ? Time(revoked) : null).AppendValue(statement.Origin)
        .AppendValue(statement.EndUncertain).AppendValue(LabelsJson.Write(statement.Entity.Ports)));

    /// <summary>Rows of the timeline, and marks of <see cref="LayeredTable"/>, which have no entity.</summary>
    public static void Timeline(Engine engine, string table, IEnumerable<(TimelineRow Span, bool IsMark)> rows) => Append(engine, table, TableColumns.Timeline, rows, (row, one) => row
        .AppendValue(one.Span.ScopeId).AppendValue(one.Span.Low.ToBytes()).AppendValue(one.Span.High.ToBytes()).AppendValue(one.Span.PrefixLength)
        .AppendValue(Time(one.Span.FromUs)).AppendValue(one.Span.ToUs == long.MaxValue ? null : Time(one.Span.ToUs)).AppendValue(one.IsMark ? (ulong?)null : one.Span.Entity.Id)
        .AppendValue(one.Span.Candidates.ToList()).AppendValue((byte)one.Span.ResolvedBy).AppendValue(Time(one.Span.LearnedAtUs)));

    public static void Places(Engine engine, string table, IEnumerable<Place> places) => Append(engine, table, TableColumns.Places, places, (row, place) => row
        .AppendValue(place.Scope).AppendValue(place.Range.First.ToBytes()).AppendValue(place.Range.PrefixLength));

    public static void Changes(Engine engine, string table, IEnumerable<AnswerChange> changes) => Append(engine, table, TableColumns.Changes, changes, (row, change) => row
        .AppendValue(StableId.OfScope(change.Scope)).AppendValue(change.Low.ToBytes()).AppendValue(change.High.ToBytes()).AppendValue(Time(change.FromUs))
        .AppendValue(change.ToUs == long.MaxValue ? null : Time(change.ToUs)));

    public static void Ids(Engine engine, string table, IEnumerable<ulong> ids) => Append(engine, table, TableColumns.Ids, ids, (row, id) => row.AppendValue(id));

    /// <summary>The first version of an entity counts from the beginning, the last to the end.</summary>
    public static void Versions(Engine engine, string table, LabelHistory history) => Append(
        engine, table, TableColumns.Versions, history.Changing.SelectMany(entity => entity.Value.Select((_, number) => (entity.Key, entity.Value, Number: number))), (row, one) => row
            .AppendValue(one.Key).AppendValue(one.Number).AppendValue(Time(one.Number == 0 ? 0 : one.Value[one.Number].FromUs))
            .AppendValue(Time(one.Number + 1 < one.Value.Count ? one.Value[one.Number + 1].FromUs : StoreLayout.TimeMaxUs)));

    public static void ServicePorts(Engine engine, string table, IEnumerable<ServicePort> ports) => Append(engine, table, TableColumns.ServicePorts, ports, (row, port) => row
        .AppendValue(port.IntervalId).AppendValue(port.ServiceId).AppendValue(Text(port.Scope)).AppendValue(port.Protocol).AppendValue(port.Port).AppendValue(Text(port.Name))
        .AppendValue(Text(port.TargetPort)).AppendValue(port.NodePort).AppendValue(Time(port.ValidFromUs)).AppendValue(port.ValidToUs is { } to ? Time(to) : null)
        .AppendValue(Time(port.LearnedAtUs)));

    public static void Backends(Engine engine, string table, IEnumerable<Backend> backends) => Append(engine, table, TableColumns.Backends, backends, (row, backend) => row
        .AppendValue(backend.IntervalId).AppendValue(backend.ServiceId).AppendValue(Text(backend.Scope)).AppendValue(backend.Address.ToBytes()).AppendValue(backend.Protocol)
        .AppendValue(backend.Port).AppendValue(Text(backend.PortName)).AppendValue(backend.TargetId).AppendValue(backend.Ready).AppendValue(backend.Serving)
        .AppendValue(backend.Terminating).AppendValue(Time(backend.ValidFromUs)).AppendValue(backend.ValidToUs is { } to ? Time(to) : null).AppendValue(Time(backend.LearnedAtUs)));

    public static void ClusterObjects(Engine engine, string table, IEnumerable<ClusterObject> objects) => Append(engine, table, TableColumns.ClusterObjects, objects, (row, one) => row
        .AppendValue(one.IntervalId).AppendValue(Text(one.Cluster)).AppendValue(Text(one.Kind)).AppendValue(Text(one.Namespace)).AppendValue(Text(one.Name)).AppendValue(Text(one.Uid))
        .AppendValue(Text(one.Json)).AppendValue(Time(one.ValidFromUs)).AppendValue(one.ValidToUs is { } to ? Time(to) : null).AppendValue(Time(one.LearnedAtUs)));

    public static void Decisions(Engine engine, string table, string draft, string? cluster, IEnumerable<DraftDecision> decisions) =>
        Append(engine, table, TableColumns.Decisions, decisions, (row, one) => row
        .AppendValue(Time(one.HourUs)).AppendValue(Text(draft)).AppendValue(one.Edge.Src.Id).AppendValue(one.Edge.Dst.Id).AppendValue(one.Edge.Service?.Id).AppendValue(one.Edge.Protocol)
        .AppendValue(one.Edge.DstPort).AppendValue(one.Edge.ServicePort).AppendValue(one.Verdict).AppendValue(Text(one.Why)).AppendValue(Text(one.Rules))
        .AppendValue(one.Edge.Connections).AppendValue(Time(one.Edge.FirstSeenUs)).AppendValue(Time(one.Edge.LastSeenUs))
        .AppendValue(cluster is null ? null : Text(cluster)));

    public static void Entities(Engine engine, string table, IEnumerable<Entity> entities) => Append(engine, table, TableColumns.Entities, entities, (row, entity) => Attributes(
        row.AppendValue(entity.Id).AppendValue(Entity.TextOf(entity.Kind)).AppendValue(entity.Scope), entity).AppendValue(LabelsJson.Write(entity.Ports)));

    /// <summary>A row per hop and reason; a hop that dropped nothing has one row without a reason.</summary>
    public static void Losses(Engine engine, string table, IEnumerable<AccountReport> reports)
    {
        var rows = reports.SelectMany(report => report.Hops.SelectMany(hop => (hop.Dropped.Count == 0 ? [new("", 0)] : hop.Dropped.AsEnumerable()).Select(drop => (report, hop, drop))));
        Append(engine, table, TableColumns.Losses, rows, (row, loss) => row
            .AppendValue(loss.report.Node).AppendValue(loss.report.Process.ToString("N")).AppendValue(Time(loss.report.SinceUs)).AppendValue(Time(loss.report.AtUs))
            .AppendValue(loss.hop.Hop).AppendValue(loss.hop.Unit).AppendValue(loss.hop.Seen).AppendValue(loss.hop.Forwarded).AppendValue(loss.hop.InFlight)
            .AppendValue(loss.drop.Key.Length == 0 ? null : loss.drop.Key).AppendValue(loss.drop.Value));
    }

    public static void Coverage(Engine engine, string table, IEnumerable<AccountReport> reports) => Append(
        engine, table, TableColumns.Coverage, reports.SelectMany(report => report.Facts!.Coverage.Select(fact => (report, fact))), (row, one) => row
            .AppendValue(one.report.Node).AppendValue(one.report.Process.ToString("N")).AppendValue(Time(one.fact.AtUs)).AppendValue(one.fact.Source).AppendValue(Text(one.fact.Aspect))
            .AppendValue(LevelText(one.fact.Level)).AppendValue(Text(one.fact.Detail)));

    public static void Owners(Engine engine, string table, IEnumerable<AccountReport> reports) => Append(
        engine, table, TableColumns.Owners, reports.SelectMany(report => report.Facts!.Owners.Select(fact => (report.Node, fact))), (row, one) => row
            .AppendValue(one.fact.OwnerId).AppendValue(one.Node).AppendValue(one.fact.Kind).AppendValue(Text(one.fact.Name)).AppendValue(one.fact.Uid).AppendValue(Text(one.fact.Cgroup))
            .AppendValue(Text(one.fact.Unit)).AppendValue(Text(one.fact.ContainerId)).AppendValue(Text(one.fact.PodUid)).AppendValue(Text(one.fact.Executable)).AppendValue(one.fact.Pid)
            .AppendValue(Time(one.fact.SeenAtUs)));

    /// <summary>Names of reports with the scope that each travelled in. What is no address by now is no binding.</summary>
    public static void Names(Engine engine, string table, IEnumerable<(string Scope, AccountReport Report)> reports) => Append(
        engine, table, TableColumns.Names, reports.SelectMany(one => one.Report.Facts!.Names.SelectMany(fact => Bindings(one.Scope, one.Report.Node, fact))), (row, one) => row
            .AppendValue(one.Node).AppendValue(one.Scope).AppendValue(one.Client.ToBytes()).AppendValue(Text(one.Fact.Name)).AppendValue(one.Address.ToBytes())
            .AppendValue(one.Fact.TtlSeconds).AppendValue(Time(one.Fact.SeenAtUs)));

    private static IEnumerable<(string Node, string Scope, NetAddress Client, NetAddress Address, NameFact Fact)> Bindings(string scope, string node, NameFact fact) =>
        NetAddress.TryParse(fact.Client, out var client) && NetAddress.TryParse(fact.Address, out var address) ? [(node, scope, client, address, fact)] : [];

    /// <summary>The engine takes a text to end at its first NUL, and what follows is data, too.</summary>
    private static string Text(string text) => text.Replace('\0', '\ufffd');

    private static string LevelText(CoverageLevel level) => JsonNamingPolicy.SnakeCaseLower.ConvertName(level.ToString());

    private static IDuckDBAppenderRow Attributes(IDuckDBAppenderRow row, Entity entity) => row
        .AppendValue(entity.Uid).AppendValue(entity.Cluster).AppendValue(entity.Namespace).AppendValue(entity.Name).AppendValue(entity.WorkloadKind).AppendValue(entity.Workload)
        .AppendValue(entity.Node).AppendValue(entity.HostNetwork).AppendValue(LabelsJson.Write(entity.Labels)).AppendValue(LabelsJson.Write(entity.Selector));

    private static void Append<T>(Engine engine, string table, TableColumns columns, IEnumerable<T> items, Func<IDuckDBAppenderRow, T, IDuckDBAppenderRow> fill)
    {
        engine.Execute(columns.Create(table));
        using var appender = engine.Connection.CreateAppender(table);
        foreach (var item in items)
        {
            fill(appender.CreateRow(), item).EndRow();
        }
    }

    private static DateTime? Time(long us) => UnixTime.FromUs(StoreLayout.ClampUs(us)).UtcDateTime;
}
