using Flows.Capture;
using Flows.Capture.Files;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>Captures that strangers made, some of them malformed on purpose. They are not part of the repository.</summary>
public sealed class WildCaptureTests
{
    [Fact]
    public void Every_packet_of_every_wild_capture_is_in_a_flow_or_rejected_with_a_reason()
    {
        var directory = Directory();
        Assert.SkipWhen(directory is null, "There is no directory ../shared/captures beside the repository.");
        var files = System.IO.Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".pcap" or ".pcapng" or ".cap" or ".dmp").ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
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
            var report = account.Report();
            Assert.True(report.Holds, file);
            Assert.Equal(reader.Packets, report.Seen);
            Assert.Equal(report.Forwarded, rows.Rows.Sum(row => (long)(row.FwdPackets + row.RevPackets)!.Value));
        }
    }

    private static string? Directory()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Flows.sln")))
        {
            root = root.Parent;
        }

        var captures = root is null ? null : Path.Combine(root.FullName, "..", "shared", "captures");
        return System.IO.Directory.Exists(captures) ? captures : null;
    }
}
