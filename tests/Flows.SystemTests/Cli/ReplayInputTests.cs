using System.IO.Compression;
using Flows.Capture.Recording;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Where <c>flows replay</c> may read from: files, compressed files, another program.</summary>
public sealed class ReplayInputTests : IDisposable
{
    private const int Ok = 0, Failed = 1, Usage = 2;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Capture_comes_from_standard_input_and_out_of_gzip()
    {
        var plain = Recording(packets: 20);
        var zipped = directory["no-name-tells"];
        Zip(plain, zipped);

        Assert.Equal(20, await ConnectionsAsync($"cat {plain} | {FlowsProcess.Executable} replay - --store {directory["piped"]}", "piped"));
        Assert.Equal(20, await ConnectionsAsync($"cat {zipped} | {FlowsProcess.Executable} replay - --store {directory["zip-piped"]}", "zip-piped"));
        Assert.Equal(20, await ConnectionsAsync($"{FlowsProcess.Executable} replay {zipped} --store {directory["zipped"]}", "zipped"));
    }

    [Fact]
    public async Task Truncated_gzip_gives_its_readable_part_and_fails()
    {
        var zipped = directory["whole.gz"];
        Zip(Recording(packets: 3000), zipped);
        var bytes = File.ReadAllBytes(zipped);
        File.WriteAllBytes(directory["cut.gz"], bytes[..(bytes.Length / 2)]);

        var run = await FlowsProcess.RunAsync("replay", directory["cut.gz"], "--store", directory["cut"]);

        Assert.True(run.ExitCode == Failed, run.ToString());
        Assert.Contains($"cut short or damaged at its end, byte {bytes.Length / 2}; the ", run.Error, StringComparison.Ordinal);
        Assert.InRange(await CountAsync("cut"), 500, 2999);
    }

    [Fact]
    public async Task Standard_input_that_is_no_capture_or_named_twice_is_a_wrong_question()
    {
        var empty = await FlowsProcess.RunAsync("replay", "-", "--store", directory["store"]);
        Assert.True(empty.ExitCode == Usage, empty.ToString());
        Assert.Contains("standard input: is not a capture file", empty.Error, StringComparison.Ordinal);

        var twice = await FlowsProcess.RunAsync("replay", "-", "-", "--store", directory["store"]);
        Assert.True(twice.ExitCode == Usage, twice.ToString());
        Assert.Contains("once only", twice.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["store"]));
    }

    private string Recording(int packets)
    {
        var path = directory["whole.pcapng"];
        using var writer = new RecordingWriter(File.Create(path), 1 << 24);
        var id = writer.AddInterface("node-a/eth0", RecordingWriter.LinkTypeEthernet);
        for (var number = 0; number < packets; number++)
        {
            // UDP from a port of its own to port 53; random payload keeps the compressed file as long as the plain one.
            byte[] frame =
            [
                .. new byte[12], 0x08, 0x00, 0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                (byte)(number >> 8), (byte)number, 0, 53, 0, 40, 0, 0, .. Guid.NewGuid().ToByteArray(), .. Guid.NewGuid().ToByteArray(),
            ];
            writer.Write(id, frame, frame.Length, 1_700_000_000_000_000 + number);
        }

        return path;
    }

    private static void Zip(string from, string to)
    {
        using var gzip = new GZipStream(File.Create(to), CompressionLevel.Fastest);
        gzip.Write(File.ReadAllBytes(from));
    }

    private async Task<int> ConnectionsAsync(string command, string store)
    {
        var run = await FlowsProcess.ToolAsync("sh", "-c", command);
        Assert.True(run.ExitCode == Ok, run.ToString());
        return await CountAsync(store);
    }

    private async Task<int> CountAsync(string store)
    {
        var run = await FlowsProcess.RunAsync("sql", "--store", directory[store], "SELECT count(*) AS n FROM flows WHERE window_no = 0", "--output", "csv");
        Assert.True(run.ExitCode == Ok, run.ToString());
        return int.Parse(run.Output.Split('\n')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
