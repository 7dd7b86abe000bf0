using System.Net;
using System.Net.Sockets;
using Flows.Capture.Recording;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>What a person gets who asked wrongly: one clear sentence on standard error, an exit code, and no data that is none.</summary>
public sealed class WrongInputTests(DemoStore demo) : IDisposable
{
    private const int Failed = 1, Usage = 2;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Capture_that_is_missing_or_none_is_a_wrong_question()
    {
        await RefusedAsync(Usage, "no such file", "replay", directory["nope.pcap"], "--store", directory["store"]);
        await RefusedAsync(Usage, "not a capture file", "replay", directory.Write("text.txt", "hello, I am no capture\n"), "--store", directory["store"]);
        Assert.False(Directory.Exists(directory["store"]));
    }

    [Fact]
    public async Task Truncated_capture_gives_its_readable_part_and_fails()
    {
        var whole = directory["whole.pcapng"];
        using (var writer = new RecordingWriter(File.Create(whole), 1 << 20))
        {
            var id = writer.AddInterface("node-a/eth0", RecordingWriter.LinkTypeEthernet);
            for (var i = 0; i < 20; i++)
            {
                writer.Write(id, Datagram((ushort)(40_000 + i)), 46, 1_700_000_000_000_000 + i);
            }
        }

        var bytes = await File.ReadAllBytesAsync(whole, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(directory["cut.pcapng"], bytes[..^30], TestContext.Current.CancellationToken);
        var cut = await FlowsProcess.RunAsync("replay", directory["cut.pcapng"], "--store", directory["store"], "--output", "json");
        Assert_one_sentence(cut, Failed, "truncated");
        using var report = System.Text.Json.JsonDocument.Parse(cut.Output);
        Assert.Equal(19, report.RootElement.GetProperty("connections").GetInt32());
        var stored = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", "SELECT count(*) AS n FROM flow_log");
        Assert.Equal("n\n19\n", stored.Output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Directory_that_is_no_store_or_a_damaged_one_is_said_to_be()
    {
        await RefusedAsync(Usage, "is not a store", "sql", "--store", directory.Path, "SELECT 1");
        await RefusedAsync(Usage, "is not a store", "map", "--store", directory["nowhere"]);
        await RefusedAsync(Usage, "is not a store", "who", "10.0.0.1", "--store", directory.Path);
        await RefusedAsync(Usage, "is not a store", "policy", "suggest", "--store", directory.Path, "--out", directory["out"]);

        directory.Write("damaged/manifest.json", """{"version": 1, "sequ""");
        await RefusedAsync(Failed, "is damaged", "sql", "--store", directory["damaged"], "SELECT 1");
        await RefusedAsync(Failed, "is damaged", "map", "--store", directory["damaged"]);
        await RefusedAsync(Failed, "is damaged", "serve", "--store", directory["damaged"], "--listen", "127.0.0.1:0");
    }

    [Fact]
    public async Task Directory_with_foreign_files_is_not_touched()
    {
        directory.Write("foreign/letter.txt", "dear");
        var store = await demo.PathAsync();
        await RefusedAsync(Usage, "letter.txt", "serve", "--store", directory["foreign"], "--listen", "127.0.0.1:0");
        await RefusedAsync(Usage, "letter.txt", "policy", "suggest", "--store", store, "--out", directory["foreign"]);
        await RefusedAsync(Usage, "not empty", "demo", "--once", "--store", directory["foreign"]);
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(directory["foreign"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Wrong_query_or_time_or_address_is_a_wrong_question()
    {
        var store = await demo.PathAsync();
        await RefusedAsync(Usage, "SELEC", "sql", "--store", store, "SELEC 1");
        await RefusedAsync(Usage, "no_such_table", "sql", "--store", store, "FROM no_such_table");
        await RefusedAsync(Usage, "one statement", "sql", "--store", store, "SELECT 1; SELECT 2");
        await RefusedAsync(Usage, "no query", "sql", "--store", store, " ");
        await RefusedAsync(Usage, "yesterdayish", "who", "10.10.1.50", "--at", "yesterdayish", "--store", store);
        await RefusedAsync(Usage, "10.10.1.500", "who", "10.10.1.500", "--store", store);
        await RefusedAsync(Usage, "soon", "map", "--store", store, "--since", "soon");
        await RefusedAsync(Usage, "not before", "map", "--store", store, "--since", "1h", "--until", "2h");
    }

    [Theory]
    [InlineData("flows", "nonsense", "nonsense")]
    [InlineData("flows", "Required command")]
    [InlineData("flows", "--nonsense", "--nonsense")]
    [InlineData("flows map", "'--store' is required", "map")]
    [InlineData("flows map", "--nonsense", "map", "--store", "x", "--nonsense")]
    [InlineData("flows map", "galaxy", "map", "--store", "x", "--level", "galaxy")]
    [InlineData("flows sql", "parquet", "sql", "--store", "x", "--output", "parquet", "SELECT 1")]
    [InlineData("flows policy", "Required command", "policy")]
    [InlineData("flows policy", "invent", "policy", "invent")]
    [InlineData("flows policy suggest", "'--out' is required", "policy", "suggest", "--store", "x")]
    [InlineData("flows policy suggest", "galaxy", "policy", "suggest", "--store", "x", "--out", "y", "--level", "galaxy")]
    [InlineData("flows policy test", "--nonsense", "policy", "test", "--store", "x", "--policies", "y", "--nonsense")]
    public async Task Wrong_words_name_the_verb_whose_help_helps(string path, string problem, params string[] arguments)
    {
        var finished = await FlowsProcess.RunAsync(arguments);
        var lines = finished.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(finished.ExitCode == Usage && finished.Bytes.Length == 0 && lines.Length == 2, finished.ToString());
        Assert.StartsWith("flows: ", lines[0], StringComparison.Ordinal);
        Assert.Contains(problem, lines[0], StringComparison.Ordinal);
        Assert.Equal($"Try '{path} --help'.", lines[1]);
    }

    [Fact]
    public async Task Sources_that_cannot_be_watched_are_named()
    {
        Require.RootAnd("setpriv");
        await RefusedAsync(Usage, "nosuch0", "collect", "--server", "http://127.0.0.1:1", "--spool", directory["spool"], "--interface", "nosuch0");
        await RefusedAsync(Usage, "ftp://x", "collect", "--server", "ftp://x", "--spool", directory["spool"], "--conntrack");
        using var nobody = new Nobody();
        var conntrack = await nobody.RunAsync("collect", "--server", "http://127.0.0.1:1", "--spool", $"{nobody.Temporary}/spool", "--conntrack");
        Assert_no_data(conntrack, Failed, "CAP_NET_ADMIN");
        var packets = await nobody.RunAsync("collect", "--server", "http://127.0.0.1:1", "--spool", $"{nobody.Temporary}/spool", "--interface", "lo");
        Assert_no_data(packets, Failed, "CAP_NET_RAW");
        var spool = await nobody.RunAsync("collect", "--server", "http://127.0.0.1:1", "--spool", "/proc/spool", "--conntrack");
        Assert_no_data(spool, Failed, "/proc/spool");
    }

    [Fact]
    public async Task Address_that_is_taken_open_or_none_is_not_listened_on()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await RefusedAsync(Failed, "taken", "serve", "--store", directory["a"], "--listen", $"127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}");
        await RefusedAsync(Usage, "--insecure", "serve", "--store", directory["b"], "--listen", "0.0.0.0:0");
        await RefusedAsync(Usage, "no address", "serve", "--store", directory["c"], "--listen", "nonsense");
        Assert.False(Directory.Exists(directory["b"]) || Directory.Exists(directory["c"]), "A refused address left a store behind.");
    }

    [Fact]
    public async Task Store_has_one_writer_and_many_readers()
    {
        await using var server = FlowsProcess.Start("serve", "--store", directory["store"], "--listen", "127.0.0.1:0");
        await server.SaysAsync("serving on");
        await RefusedAsync(Failed, "Another process writes the store", "serve", "--store", directory["store"], "--listen", "127.0.0.1:0");
        var read = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", "SELECT count(*) AS n FROM flow_log");
        Assert.True(read.ExitCode == 0 && read.Output.ReplaceLineEndings("\n") == "n\n0\n", read.ToString());
    }

    [Fact]
    public async Task Policies_that_cannot_be_read_are_named_with_their_file()
    {
        var store = await demo.PathAsync();
        Task Refused(string sentence, string path) => RefusedAsync(Usage, sentence, "policy", "test", "--store", store, "--policies", path);
        await Refused("There is no file or directory", directory["nowhere"]);
        await Refused("line 2", directory.Write("broken/x.yaml", "a: [b\n"));
        await Refused("Pod of v1", directory.Write("pod/x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"));
        await Refused("holds no .yaml", Directory.CreateDirectory(directory["empty"]).FullName);
    }

    [Fact]
    public async Task Bad_inventory_lines_are_reported_and_cost_no_other_line()
    {
        Require.RootAnd();
        var inventory = directory.Write("inventory.jsonl", """
            {"addr":"10.0.0.1","kind":"pod","name":"first"}
            {"addr":"10.0.0.999","kind":"pod","name":"second"}
            this is no JSON
            {"addr":"10.0.0.4","kind":"pod","name":"fourth"}

            """);
        await using var server = FlowsProcess.Start("serve", "--store", directory["store"], "--listen", "127.0.0.1:0", "--inventory", inventory);
        await server.SaysAsync("serving on");
        var complaints = server.Error.Split('\n').Where(line => line.Contains("inventory.jsonl", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, complaints.Count);
        Assert.Contains("10.0.0.999", complaints[0], StringComparison.Ordinal);
        var (ended, _) = await server.EndAsync(FlowsProcess.SigTerm);
        Assert.Equal(0, ended.ExitCode);
        var names = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", "SELECT name FROM identities ORDER BY name");
        Assert.Equal("name\nfirst\nfourth\n", names.Output.ReplaceLineEndings("\n"));
        await RefusedAsync(Usage, "nowhere.jsonl", "serve", "--store", directory["store"], "--listen", "127.0.0.1:0", "--inventory", directory["nowhere.jsonl"]);
    }

    private static async Task RefusedAsync(int exitCode, string sentence, params string[] arguments) =>
        Assert_no_data(await FlowsProcess.RunAsync(arguments), exitCode, sentence);

    private static void Assert_no_data(Finished finished, int exitCode, string sentence)
    {
        Assert_one_sentence(finished, exitCode, sentence);
        Assert.True(finished.Bytes.Length == 0, finished.ToString());
    }

    private static void Assert_one_sentence(Finished finished, int exitCode, string sentence)
    {
        Assert.True(finished.ExitCode == exitCode && finished.Error.Contains(sentence, StringComparison.Ordinal), finished.ToString());
        Assert.DoesNotContain("   at ", finished.Error, StringComparison.Ordinal);
        Assert.StartsWith("flows: ", finished.Error, StringComparison.Ordinal);
        Assert.Single(finished.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>An Ethernet frame with an empty UDP datagram from 10.0.0.1 to 10.0.0.2 port 9.</summary>
    private static byte[] Datagram(ushort port) =>
    [
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        (byte)(port >> 8), (byte)port, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4,
    ];
}
