using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>A sink that keeps rows and can add them up to connections.</summary>
internal sealed class RowCollector
{
    public List<FlowRow> Rows { get; } = [];

    public void Add(in FlowRow row) => Rows.Add(row);

    public IEnumerable<ConnectionTotals> Connections() => Rows.GroupBy(row => row.ConnId).Select(rows =>
    {
        var first = rows.Single(row => row.WindowNo == 0);
        return new ConnectionTotals(
            first.Src, first.Dst, first.SrcPort, first.DstPort, first.Protocol,
            Sum(rows, row => row.FwdPackets), Sum(rows, row => row.RevPackets), Sum(rows, row => row.FwdBytes), Sum(rows, row => row.RevBytes));
    });

    private static ulong Sum(IEnumerable<FlowRow> rows, Func<FlowRow, ulong?> counter) =>
        rows.Aggregate(0UL, (sum, row) => sum + counter(row)!.Value);
}
