using System.Globalization;
using System.Text;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>Plain YAML is read without the library. What it reads the library reads too, and finds the same: values, quotes, lines.</summary>
public sealed class BlockYamlTests
{
    private const int DepthMax = 12;

    private const string Policies = """
        # Two policies.
        ---
        apiVersion: "networking.k8s.io/v1"
        kind: NetworkPolicy
        metadata:
          name: web
          labels: {}
          annotations:
            "a.b/c": 'x: y # z'
        spec:
          podSelector:
            matchLabels:
              app: "web"
          # Lists may stand as far left as their key.
          ingress:
          - from:
            - podSelector: {}
              namespaceSelector:
                matchExpressions:
                - key: team
                  operator: In
                  values: [] 
            - ipBlock:
                cidr: 2001:db8::/32
                except:
                    - 2001:db8:1::/48

                    - "2001:db8:2::/48"
            ports:
            -   port: 80
                endPort: 90
            - port: -1
          egress:
            - - a
              - - b: c
                - d
            - {}
        ---
        - x
        - y: ~
        """;

    // Pieces of which something else is made when they meet.
    private static readonly string[] Pieces =
    [
        " ", "  ", "\n", "\n\n", ":", ": ", "- ", "-", "#", " #", "# c\n", "\"", "'", "\\", "---\n", "---", "...\n", "%a\n", "? ", "a", "b: c\n", "{", "}", "{}", "[", "]", "[]", ",",
        "&a ", "*a", "!t ", "| ", "> ", "~", "null", "<<: x\n", "\t", "\r\n", "é", "\u2028", "@", "`", "=", "0x1f", "\"\": 1\n", "'' : 1\n", "key:\n", "- - x\n", "  d: e\n", "\u0001", "''", "a:b", "a#b",
    ];

    [Fact]
    public void Policies_as_people_write_them_are_read()
    {
        var documents = BlockYaml.TryRead(Policies, DepthMax)!;
        Assert.Equal(2, documents.Count);
        AssertSame(Policies);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    [InlineData("a: 1\n---\n")]
    [InlineData("word")]
    [InlineData("a:\n")]
    [InlineData("a: 1\na: 2\n")]
    [InlineData("a: one\n  two\n")]
    [InlineData("a: \"one\n  two\"\n")]
    [InlineData("a: |\n  one\n")]
    [InlineData("a: &x 1\nb: *x\n")]
    [InlineData("a: {b: c}\n")]
    [InlineData("a: \"\\u0041\"\n")]
    [InlineData("a: 'it''s'\n")]
    [InlineData("a: 1 # one\n")]
    [InlineData("a: b: c\n")]
    [InlineData("- a\nb: c\n")]
    [InlineData("a:\n    b: 1\n  c: 2\n")]
    [InlineData("a: 1\r\nb: 2\r\n")]
    [InlineData("a: é\n")]
    [InlineData("a: 1\n... \nb: 2\n")]
    public void Everything_else_is_the_librarys(string text) => Assert.Null(BlockYaml.TryRead(text, DepthMax));

    [Fact]
    public void As_deep_as_the_library_and_no_deeper()
    {
        static string Nested(int deep) => string.Concat(Enumerable.Repeat("- ", deep)) + "x\n";
        AssertSame(Nested(DepthMax));
        Assert.Null(BlockYaml.TryRead(Nested(DepthMax + 1), DepthMax));
        Assert.Throws<PolicyFaultException>(() => YamlText.Read("f", Nested(DepthMax + 1), DepthMax));
    }

    [Fact]
    public void Our_own_policies_are_read()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            foreach (var policy in new RandomSets(seed).Set().Policies.Where(policy => policy.Target is PodSegment && (policy.Ingress ?? policy.Egress) is not null))
            {
                AssertSame(KubernetesWriter.Write(policy, evidence: null));
            }
        }
    }

    [Fact]
    public void What_is_read_of_random_damage_is_what_the_library_reads()
    {
        var random = new Random(7);
        var read = 0;
        for (var round = 0; round < 60_000; round++)
        {
            var text = new StringBuilder(Window(random));
            for (var damage = random.Next(3); damage >= 0 && text.Length > 0; damage--)
            {
                var at = random.Next(text.Length);
                _ = random.Next(3) switch
                {
                    0 => text.Remove(at, random.Next(Math.Min(6, text.Length - at) + 1)),
                    1 => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
                    _ => text.Insert(at, Window(random)),
                };
            }

            if (BlockYaml.TryRead(text.ToString(), DepthMax) is not null)
            {
                AssertSame(text.ToString());
                read++;
            }
        }

        Assert.True(read > 4_000, $"only {read} were read at all");
    }

    /// <summary>A few lines of the policies, moved to the left.</summary>
    private static string Window(Random random)
    {
        var lines = Policies.Split('\n');
        var (first, count) = (random.Next(lines.Length), 1 + random.Next(5));
        var some = lines.Skip(first).Take(count).ToList();
        var left = some.Where(line => line.Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Concat(some.Select(line => line[Math.Min(left, line.Length)..] + "\n"));
    }

    private static void AssertSame(string text)
    {
        var own = string.Join("\n", BlockYaml.TryRead(text, DepthMax)!.Select(Told));
        var theirs = string.Join("\n", YamlText.Read("f", text, DepthMax).Select(Told));
        Assert.True(own == theirs, $"read differently:\n{text}\nours:   {own}\ntheirs: {theirs}");
    }

    private static string Told(DocumentNode node) => string.Create(CultureInfo.InvariantCulture, $"{node.Line}") + (node.Entries is { } entries
        ? $"{{{string.Join(", ", entries.Select(entry => $"{Told(entry.Key)}: {Told(entry.Value)}"))}}}"
        : node.Items is { } items ? $"[{string.Join(", ", items.Select(Told))}]" : node.IsPlain ? $"<{node.Scalar}>" : $"'{node.Scalar}'");
}
