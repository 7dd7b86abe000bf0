using System.Text.RegularExpressions;
using System.Xml.Linq;

using Xunit;
using Root = Flows.Tests.Support.Repository;

namespace Flows.Tests.Tidiness;

/// <summary>The rules of the house that a compiler does not know.</summary>
public sealed partial class TidyTests
{
    private const int MethodLinesMax = 70;

    // SQL in raw literals is the widest thing that is still read.
    private const int LineCharactersMax = 200;

    private static readonly Dictionary<string, string[]> ProjectGraph = new()
    {
        ["Flows.Core"] = [],
        ["Flows.Capture"] = ["Flows.Core"],
        ["Flows.Transport"] = ["Flows.Core"],
        ["Flows.Inventory"] = ["Flows.Core"],
        ["Flows.Store"] = ["Flows.Core"],
        ["Flows.Web"] = ["Flows.Core", "Flows.Store", "Flows.Transport"],
        ["Flows"] = ["Flows.Capture", "Flows.Core", "Flows.Inventory", "Flows.Store", "Flows.Transport", "Flows.Web"],
    };

    private static IEnumerable<string> Sources => new[] { "src", "tests" }
        .SelectMany(top => Directory.EnumerateFiles(Root.PathOf(top), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    [Fact]
    public void Projects_refer_to_each_other_as_designed()
    {
        var found = Directory.EnumerateFiles(Root.PathOf("src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file),
            file => References(file, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal).ToArray());

        Assert.Equal(ProjectGraph.Keys.Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        Assert.All(found, project => Assert.Equal(ProjectGraph[project.Key], project.Value));
    }

    [Theory]
    [InlineData("DuckDB", "Flows.Store")]
    [InlineData("Microsoft.AspNetCore", "Flows.Web")]
    [InlineData("OpenTelemetry", "Flows.Web")]
    [InlineData("System.CommandLine", "Flows")]
    [InlineData("Spectre", "Flows")]
    public void A_heavy_dependency_stays_in_its_project(string package, string only)
    {
        var users = Directory.EnumerateFiles(Root.PathOf("src"), "*.csproj", SearchOption.AllDirectories)
            .Where(file => References(file, "PackageReference").Concat(References(file, "FrameworkReference")).Any(name => name.StartsWith(package, StringComparison.Ordinal)))
            .Select(file => Path.GetFileNameWithoutExtension(file));

        Assert.Equal([only], users);
    }

    [Fact]
    public void Core_refers_to_nothing_but_Arrow_and_Yaml() =>
        Assert.Equal(["Apache.Arrow", "YamlDotNet"], References(Root.PathOf("src", "Flows.Core", "Flows.Core.csproj"), "PackageReference").Order(StringComparer.Ordinal));

    [Fact]
    public void Only_the_test_projects_meet_PacketDotNet_and_SharpPcap() =>
        Assert.DoesNotContain(
            Sources.Where(file => file.StartsWith(Root.PathOf("src"), StringComparison.Ordinal)).Concat(Directory.EnumerateFiles(Root.PathOf("src"), "*.csproj", SearchOption.AllDirectories)),
            file => File.ReadAllText(file) is var text && (text.Contains("PacketDotNet", StringComparison.Ordinal) || text.Contains("SharpPcap", StringComparison.Ordinal)));

    [Fact]
    public void Every_package_has_its_reason_in_the_readme()
    {
        var readme = File.ReadAllText(Root.PathOf("README.md"));
        var packages = XDocument.Load(Root.PathOf("Directory.Packages.props")).Descendants("PackageVersion").Select(version => version.Attribute("Include")!.Value);
        Assert.All(packages, package => Assert.Contains($"`{package}`", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_project_has_its_design_beside_it() =>
        Assert.All(ProjectGraph.Keys, project => Assert.True(File.Exists(Root.PathOf("src", project, "DESIGN.md")), $"src/{project}/DESIGN.md is missing"));

    [Fact]
    public void Nothing_is_left_to_do_in_the_sources() =>
        Assert.All(Sources.Where(file => !file.EndsWith("TidyTests.cs", StringComparison.Ordinal)), file =>
        {
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                Assert.False(LeftOver().IsMatch(line), $"{file}:{number}: {line.Trim()}");
                Assert.True(line.Length <= LineCharactersMax || HoldsDocuments(file), $"{file}:{number} has {line.Length} characters");
            }
        });

    [Fact]
    public void No_method_of_the_product_is_longer_than_a_screen()
    {
        var long_ = Sources.Where(file => file.StartsWith(Root.PathOf("src"), StringComparison.Ordinal))
            .SelectMany(file => MethodLengths(File.ReadAllLines(file)).Where(method => method.Lines > MethodLinesMax).Select(method => $"{file}:{method.Start} has {method.Lines} lines"));
        Assert.Empty(long_);
    }

    [Theory]
    [InlineData("DateTime.Now")]
    [InlineData("DateTime.UtcNow")]
    [InlineData("DateTimeOffset.Now")]
    [InlineData("DateTimeOffset.UtcNow")]
    [InlineData("Thread.Sleep")]
    public void Time_is_injected(string banned) =>
        Assert.All(Sources.Where(file => file.StartsWith(Root.PathOf("src"), StringComparison.Ordinal)), file => Assert.DoesNotContain(banned, File.ReadAllText(file), StringComparison.Ordinal));

    /// <summary>Tests hold whole documents in a line, and the column table is a table.</summary>
    private static bool HoldsDocuments(string file) => file.Contains("/tests/", StringComparison.Ordinal) || file.EndsWith("/FlowColumns.cs", StringComparison.Ordinal);

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Load(project).Descendants(kind).Select(reference => reference.Attribute("Include")!.Value);

    /// <summary>Members of types, by the indentation that the formatter enforces: a brace at four spaces opens one, the next at four closes it.</summary>
    private static IEnumerable<(int Start, int Lines)> MethodLengths(string[] lines)
    {
        var start = -1;
        var nested = lines.Any(line => line == "    {") && lines.Any(TypeAtFour().IsMatch);
        var indent = nested ? "        " : "    ";
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i] == indent + "{")
            {
                start = i;
            }
            else if (start >= 0 && lines[i].StartsWith(indent + "}", StringComparison.Ordinal))
            {
                yield return (start + 1, i - start - 1);
                start = -1;
            }
        }
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException|^\s*#region")]
    private static partial Regex LeftOver();

    [GeneratedRegex(@"^    (public|internal|private).*\b(class|struct|record)\b.*[^;]$")]
    private static partial Regex TypeAtFour();
}
