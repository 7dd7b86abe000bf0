using System.Runtime.CompilerServices;
using Flows.Core.Map;
using Flows.Verbs;
using Xunit;

namespace Flows.Tests.Map;

/// <summary>Maps as text against files beside this one; FLOWS_GOLDEN=1 rewrites them, and the diff is for review.</summary>
public sealed class MapTextTests
{
    [Theory]
    [InlineData(MapLevel.Pod, "dot")]
    [InlineData(MapLevel.Workload, "mermaid")]
    [InlineData(MapLevel.Service, "json")]
    [InlineData(MapLevel.Namespace, "dot")]
    [InlineData(MapLevel.Workload, "csv")]
    public void Map_of_the_shop_is_as_agreed(MapLevel level, string format)
    {
        using var text = new StringWriter();
        MapVerb.Print(EdgeGraph.Of(Drawn.Shop(), level), format, text);
        AssertGolden($"shop.{MapGraph.TextOf(level)}.{format}.txt", text.ToString());
    }

    [Theory]
    [InlineData("dot")]
    [InlineData("mermaid")]
    [InlineData("json")]
    [InlineData("csv")]
    [InlineData("table")]
    public void Empty_map_can_be_printed(string format)
    {
        using var text = new StringWriter();
        MapVerb.Print(EdgeGraph.Of([], MapLevel.Workload), format, text);
        Assert.NotEmpty(text.ToString());
    }

    [Fact]
    public void Hostile_names_cannot_leave_their_quotes()
    {
        var graph = EdgeGraph.Of(Drawn.Shop(), MapLevel.Pod);
        Assert.All(MapText.Mermaid(graph).TrimEnd('\n').Split('\n').Skip(1), line =>
        {
            Assert.StartsWith("  n", line, StringComparison.Ordinal);
            Assert.Equal(2, line.Count(c => c == '"'));
            Assert.DoesNotContain("%%", line, StringComparison.Ordinal);
            Assert.DoesNotContain("<b>", line, StringComparison.Ordinal);
        });
        Assert.All(MapText.Dot(graph).TrimEnd('\n').Split('\n')[3..^1], line =>
            Assert.Equal(2, line.Replace("\\\\", "", StringComparison.Ordinal).Replace("\\\"", "", StringComparison.Ordinal).Count(c => c == '"')));
    }

    private static void AssertGolden(string name, string actual, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "golden", name);
        if (Environment.GetEnvironmentVariable("FLOWS_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }
}
