using System.Text.Json;
using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>Fills temporary tables of the small kinds, row by row.</summary>
internal static class RowWriter
{
    public static void Identities(Engine engine, string table, IEnumerable<IdentityInterval> statements) => Append(engine, table, TableColumns.Identities, statements, (row, statement) => Attributes(
        row.AppendValue(statement.IntervalId).AppendValue(statement.Entity.Id).AppendValue(statement.Entity.Scope).AppendValue(statement.Address.ToBytes())
            .AppendValue(statement.PrefixLength).AppendValue(Entity.TextOf(statement.Entity.Kind)), statement.Entity)
        .AppendValue(Time(statement.ValidFromUs)).AppendValue(statement.ValidToUs is { } to ? Time(to) : null).AppendValue(Time(statement.LearnedAtUs))
        .AppendValue(statement.RevokedAtUs is { } revoked ? Time(revoked) : null).AppendValue(statement.Origin));

    public static void Timeline(Engine engine, string table, IEnumerable<TimelineRow> rows) => Append(engine, table, TableColumns.Timeline, rows, (row, span) => row
        .AppendValue(span.ScopeId).AppendValue(span.Low.ToBytes()).AppendValue(span.High.ToBytes()).AppendValue(span.PrefixLength)
        .AppendValue(Time(span.FromUs)).AppendValue(span.ToUs == long.MaxValue ? null : Time(span.ToUs)).AppendValue(span.Entity.Id)
        .AppendValue(span.Candidates.ToList()).AppendValue((byte)span.ResolvedBy).AppendValue(Time(span.LearnedAtUs)));

    public static void Entities(Engine engine, string table, IEnumerable<Entity> entities) => Append(engine, table, TableColumns.Entities, entities, (row, entity) => Attributes(
        row.AppendValue(entity.Id).AppendValue(Entity.TextOf(entity.Kind)).AppendValue(entity.Scope), entity));

    /// <summary>A row per hop and reason; a hop that dropped nothing has one row without a reason.</summary>
    public static void Losses(Engine engine, string table, IEnumerable<AccountReport> reports)
    {
        var rows = reports.SelectMany(report => report.Hops.SelectMany(hop => (hop.Dropped.Count == 0 ? [new("", 0)] : hop.Dropped.AsEnumerable()).Select(drop => (report, hop, drop))));
        Append(engine, table, TableColumns.Losses, rows, (row, loss) => row
            .AppendValue(loss.report.Node).AppendValue(loss.report.Process.ToString("N")).AppendValue(Time(loss.report.SinceUs)).AppendValue(Time(loss.report.AtUs))
            .AppendValue(loss.hop.Hop).AppendValue(loss.hop.Unit).AppendValue(loss.hop.Seen).AppendValue(loss.hop.Forwarded).AppendValue(loss.hop.InFlight)
            .AppendValue(loss.drop.Key.Length == 0 ? null : loss.drop.Key).AppendValue(loss.drop.Value));
    }

    private static IDuckDBAppenderRow Attributes(IDuckDBAppenderRow row, Entity entity) => row
        .AppendValue(entity.Uid).AppendValue(entity.Cluster).AppendValue(entity.Namespace).AppendValue(entity.Name).AppendValue(entity.WorkloadKind).AppendValue(entity.Workload)
        .AppendValue(entity.Node).AppendValue(entity.HostNetwork).AppendValue(JsonSerializer.Serialize(entity.Labels)).AppendValue(JsonSerializer.Serialize(entity.Selector));

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
