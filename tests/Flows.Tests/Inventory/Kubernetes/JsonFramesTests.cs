using System.Text;
using System.Text.Json;
using Flows.Inventory.Kubernetes.Watching;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class JsonFramesTests
{
    /// <summary>Hands out a few bytes at a time, as networks do.</summary>
    private sealed class Trickle(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 200))], cancellationToken);
    }

    private static async Task<List<(FrameKind Kind, string Json)>> ReadAsync(string body, bool isList, int seed)
    {
        var frames = new JsonFrames(isList);
        var found = new List<(FrameKind, string)>();
        await using var stream = new Trickle(Encoding.UTF8.GetBytes(body), new Random(seed));
        while (await frames.ReadAsync(stream, (kind, utf8) => found.Add((kind, Encoding.UTF8.GetString(utf8))), TestContext.Current.CancellationToken))
        {
        }

        return found;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task List_is_cut_into_its_objects_however_it_arrives(int round)
    {
        var random = new Random(Environment.TickCount + round);
        var seed = random.Next();
        var items = Enumerable.Range(0, 300).Select(i => $$$"""{"metadata":{"name":"é\"}{][ {{{i}}}"},"items":[{"a":[{},[]]}],"pad":"{{{new string('x', random.Next(2000))}}}"}""").ToArray();
        string[] parts = ["\"kind\": \"PodList\"", """ "metadata" : {"resourceVersion":"7","continue":"x"}""", "\"extra\":{\"items\":[{}]}", $"\"items\" :\n[ {string.Join(" ,\n", items)} ]"];
        random.Shuffle(parts);
        var found = await ReadAsync($" {{ {string.Join(" , ", parts)} }}\n", isList: true, seed);

        Assert.Equal(items, found.Where(one => one.Kind == FrameKind.Item).Select(one => one.Json));
        Assert.Equal("""{"resourceVersion":"7","continue":"x"}""", found.Single(one => one.Kind == FrameKind.ListMetadata).Json);
    }

    [Fact]
    public async Task Watch_is_cut_into_its_events_with_or_without_lines()
    {
        var found = await ReadAsync("{\"type\":\"ADDED\",\"object\":{\"a\":\"\\n}\"}}\n{\"type\":\"B\"}{\n\"type\":\"C\"\n}\n\n", isList: false, 1);
        Assert.Equal(3, found.Count);
    }

    [Theory]
    [InlineData("""{"items":[{"a":1},{"b":""", true)]
    [InlineData("""{"items":[]""", true)]
    [InlineData("""{"type":"ADDED","obj""", false)]
    public async Task Body_that_ends_too_soon_is_an_error(string body, bool isList) =>
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(body, isList, 1));

    [Fact]
    public async Task Body_that_is_no_json_is_an_error() => await Assert.ThrowsAnyAsync<JsonException>(() => ReadAsync("<html>502</html>", isList: true, 1));

    [Fact]
    public async Task Object_without_end_is_given_up_before_memory_is() =>
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            var frames = new JsonFrames(isList: false);
            await using var stream = new MemoryStream(Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 20 << 20)));
            while (await frames.ReadAsync(stream, (_, _) => { }, TestContext.Current.CancellationToken))
            {
            }
        });
}
