using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Flows.Transport.Log;
using Xunit;

namespace Flows.SystemTests.Transport;

/// <summary>kill -9 at random moments: what was acknowledged is there afterwards, once and in order.</summary>
public sealed class LogKillTests(ITestOutputHelper output)
{
    private const string ChildVariable = "FLOWS_LOG_KILL_CHILD";
    private const int Kills = 6;

    private static readonly SegmentLogOptions Options = new() { SegmentBytes = 64 << 10, BytesMax = 256 << 20 };

    [Fact]
    public async Task Acknowledged_records_survive_kill_9()
    {
        var directory = Directory.CreateTempSubdirectory("flows-log-kill-").FullName;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                await RunAndKillAsync(directory, TimeSpan.FromMilliseconds(random.Next(20, 600)));
                AssertAcknowledgedArePresent(directory);
            }

            Assert.NotEmpty(Acknowledged(directory));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Makes this program the child that appends, when it was started as such.</summary>
    [ModuleInitializer]
    internal static void AppendIfChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { } directory)
        {
            return;
        }

        using var log = SegmentLog.Open(Path.Combine(directory, "log"), Options);
        using var acknowledged = new FileStream(Path.Combine(directory, "acked"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        while (true)
        {
            var appended = Enumerable.Range(0, Random.Shared.Next(1, 5)).Select(_ => log.Append(Payload(log.Next)).Sequence).ToList();
            if (log.Flush())
            {
                acknowledged.Write(System.Text.Encoding.ASCII.GetBytes(string.Concat(appended.Select(sequence => $"{sequence}\n"))));
            }
        }
    }

    private static byte[] Payload(ulong sequence) => System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"{sequence},", 1 + (int)(sequence % 300))));

    private static async Task RunAndKillAsync(string directory, TimeSpan after)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(LogKillTests).Assembly.Location);
        }

        start.Environment[ChildVariable] = directory;
        var before = Acknowledged(directory).Count;
        using var child = Process.Start(start)!;
        for (var waited = 0; Acknowledged(directory).Count == before && waited < 200; waited++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await Task.Delay(after, TestContext.Current.CancellationToken);
        child.Kill();
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private static void AssertAcknowledgedArePresent(string directory)
    {
        using var log = SegmentLog.Open(Path.Combine(directory, "log"), Options);
        var present = new HashSet<ulong>();
        var next = 0ul;
        while (log.Read(next, recordsMax: 1000, bytesMax: 1 << 20) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                Assert.True(present.Add(record.Sequence));
                Assert.Equal(Payload(record.Sequence), record.Payload.ToArray());
                next = record.Sequence + 1;
            }
        }

        Assert.All(Acknowledged(directory), sequence => Assert.Contains(sequence, present));
    }

    /// <summary>Whole lines only: the child may have been killed within one.</summary>
    private static List<ulong> Acknowledged(string directory)
    {
        var path = Path.Combine(directory, "acked");
        if (!File.Exists(path))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return [.. reader.ReadToEnd().Split('\n')[..^1].Select(line => ulong.Parse(line, CultureInfo.InvariantCulture))];
    }
}
