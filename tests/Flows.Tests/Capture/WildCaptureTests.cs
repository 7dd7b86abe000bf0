using System.Globalization;
using Flows.Capture;
using Flows.Capture.Files;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>
/// Captures that strangers made, some of them malformed on purpose. They are not part of the repository: they are looked for beside
/// it, in ../shared/captures, or where FLOWS_CAPTURES says.
/// </summary>
public sealed class WildCaptureTests
{
    private const int Runs = 20;

    [Fact]
    public void Every_packet_of_every_wild_capture_is_in_a_flow_or_rejected_with_a_reason_in_no_more_time_than_the_file_s_size_explains()
    {
        foreach (var file in Files())
        {
            // CPU time of this thread: a hang shows, a busy machine does not.
            var before = CpuTime.OfThread();
            var (rows, report, packets) = Replay(file);
            var taken = CpuTime.OfThread() - before;

            Assert.True(report.Holds, file);
            Assert.Equal(packets, report.Seen);
            Assert.Equal(report.Forwarded, rows.Rows.Sum(row => (long)(row.FwdPackets + row.RevPackets)!.Value));
            Assert.True(taken < TimeSpan.FromSeconds(1 + (new FileInfo(file).Length / 10e6)), $"{file} took {taken.TotalSeconds:F1} s of CPU");
        }
    }

    [Fact]
    public void Wild_captures_have_the_same_totals_in_every_run()
    {
        var files = Files();
        var first = files.Select(Totals).ToList();
        for (var run = 1; run < Runs; run++)
        {
            Assert.Equal(first, files.Select(Totals));
        }
    }

    private static string Totals(string file)
    {
        var (rows, report, packets) = Replay(file);
        var bytes = rows.Rows.Sum(row => (decimal)(row.FwdBytes + row.RevBytes)!.Value);
        return string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}: {packets} packets, {report.Forwarded} in {rows.Rows.Count} rows, {bytes} bytes, {string.Join(' ', report.Dropped)}");
    }

    private static (RowCollector Rows, HopReport Report, long Packets) Replay(string file)
    {
        var rows = new RowCollector();
        var account = PacketTracker.NewAccount();
        var tracker = new PacketTracker(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions(), rows.Add), account);
        using var reader = CaptureFileReader.Open(file);
        while (reader.TryReadNext(out var packet))
        {
            tracker.Track(packet.Data, packet.LinkType, packet.WireLength, packet.TimestampUs);
        }

        tracker.Finish();
        return (rows, account.Report(), reader.Packets);
    }

    private static List<string> Files()
    {
        var directory = Environment.GetEnvironmentVariable("FLOWS_CAPTURES") ?? Repository.PathOf("..", "shared", "captures");
        Assert.SkipUnless(Directory.Exists(directory), "There is no directory ../shared/captures beside the repository.");
        var files = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".pcap" or ".pcapng" or ".cap" or ".dmp").Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(files);
        return files;
    }
}
