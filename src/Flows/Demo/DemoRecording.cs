using System.Text.Json;
using Flows.Capture.Files;
using Flows.Capture.Recording;
using Flows.Core;

namespace Flows.Demo;

/// <summary>
/// A run in one pcapng file: what every collector heard, and in the comments of its header the truth and the inventory. Small enough to
/// be carried in the executable, for those who are not root.
/// </summary>
internal static class DemoRecording
{
    private const string TruthTag = "flows-demo-truth";
    private const string InventoryTag = "flows-demo-inventory";
    private const string Embedded = "Flows.Demo.demo.pcapng";

    // The length of a pcapng option has 16 bits; JSON here is nearly all ASCII, so half of that leaves room for the rest.
    private const int CommentCharactersMax = 32_000;
    private const long BytesMax = 64L << 20;

    /// <summary>Joins the recordings of the collectors, in the order of time.</summary>
    public static void Write(string path, IReadOnlyList<string> recordings, DemoTruth truth, IReadOnlyList<string> inventory)
    {
        var packets = recordings.SelectMany(Read).OrderBy(packet => packet.TimeUs).ToList();
        using var writer = new RecordingWriter(
            File.Create(path), BytesMax, [.. Comments(TruthTag, truth.ToJson()), .. Comments(InventoryTag, string.Join('\n', inventory))]);
        var interfaces = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var packet in packets)
        {
            if (!interfaces.TryGetValue(packet.Interface, out var id))
            {
                id = writer.AddInterface(packet.Interface, (ushort)packet.LinkType);
                interfaces.Add(packet.Interface, id);
            }

            writer.Write(id, packet.Data, packet.WireLength, packet.TimeUs);
        }
    }

    /// <summary>Replays a recording into a store, as the live run would have filled it.</summary>
    /// <param name="file">A file of <see cref="Write"/>; the one in the executable when null.</param>
    /// <exception cref="FlowsException">The file is not a recording of the demo.</exception>
    public static async Task<DemoEvidence> ReplayAsync(string? file, DemoOptions options, TimeProvider time, CancellationToken cancellation)
    {
        file ??= Unpack(options.ScratchDirectory);
        var (truth, inventory) = ReadComments(file);
        var names = Path.Combine(options.ScratchDirectory, "inventory.jsonl");
        await File.WriteAllTextAsync(names, inventory, cancellation).ConfigureAwait(false);
        var outcome = await Replay.RunAsync(
            new ReplayOptions { Files = [file], StoreDirectory = options.StoreDirectory, Inventories = [names], Node = "replay", Scope = DemoInventory.Scope },
            time,
            cancellation).ConfigureAwait(false);
        return outcome.Fault is null
            ? new DemoEvidence("recording", truth, outcome.Conservation, outcome.Rows)
            : throw new FlowsException(ExitCode.Failed, outcome.Fault);
    }

    private static (DemoTruth Truth, string Inventory) ReadComments(string file)
    {
        using var reader = CaptureFileReader.Open(file);
        reader.TryReadNext(out _);
        var (truth, inventory) = (Joined(reader.Comments, TruthTag), Joined(reader.Comments, InventoryTag));
        try
        {
            return truth.Length == 0 || inventory.Length == 0 ? throw new JsonException() : (DemoTruth.FromJson(truth), inventory);
        }
        catch (JsonException fault)
        {
            throw new FlowsException(ExitCode.Usage, $"{file} is not a recording of the demo: it does not carry the demo's truth; 'flows demo --record FILE' makes one.", fault);
        }
    }

    private static IEnumerable<string> Comments(string tag, string text) => text.Chunk(CommentCharactersMax).Select(part => $"{tag}:{new string(part)}");

    private static string Joined(IEnumerable<string> comments, string tag) =>
        string.Concat(comments.Where(comment => comment.StartsWith(tag + ":", StringComparison.Ordinal)).Select(comment => comment[(tag.Length + 1)..]));

    private static string Unpack(string directory)
    {
        var path = Path.Combine(directory, "demo.pcapng");
        using var packed = typeof(DemoRecording).Assembly.GetManifestResourceStream(Embedded)
            ?? throw new System.Diagnostics.UnreachableException("The build embeds the recording.");
        using var unpacked = File.Create(path);
        packed.CopyTo(unpacked);
        return path;
    }

    private static List<Recorded> Read(string path)
    {
        var packets = new List<Recorded>();
        using var reader = CaptureFileReader.Open(path);
        while (reader.TryReadNext(out var packet))
        {
            packets.Add(new Recorded(packet.InterfaceName, packet.LinkType, packet.WireLength, packet.TimestampUs, packet.Data.ToArray()));
        }

        return packets;
    }

    private sealed record Recorded(string Interface, int LinkType, int WireLength, long TimeUs, byte[] Data);
}
