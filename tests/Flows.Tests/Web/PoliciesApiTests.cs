using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flows.Core.Policy;
using Flows.Web;
using Xunit;

namespace Flows.Tests.Web;

/// <summary>What the API says of policies, asked over HTTP of the shop.</summary>
[Collection("web")]
public sealed class PoliciesApiTests
{
    [Fact]
    public async Task A_list_has_the_numbers_of_all_and_no_text()
    {
        await using var server = await WebServer.StartAsync();
        var answer = await AskAsync(server, "policies");
        var policies = answer.GetProperty("policies").EnumerateArray().ToList();
        Assert.Equal(answer.GetProperty("total").GetInt32(), policies.Count);
        Assert.All(policies, policy => Assert.Equal(JsonValueKind.Null, policy.GetProperty("detail").ValueKind));
        Assert.Equal(("workload", "kubernetes", "prod"), (Text(answer, "level"), Text(answer, "target"), Text(answer, "cluster")));
        Assert.Equal("2026-01-31T10:00:00.000000Z", Text(answer, "derived"));
        Assert.Contains("tells of more than its pods explain", answer.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);

        var states = answer.GetProperty("states");
        var counted = policies.Where(policy => policy.GetProperty("readiness").ValueKind != JsonValueKind.Null).GroupBy(policy => Text(policy.GetProperty("readiness"), "state"))
            .ToDictionary(same => same.Key, same => same.Count());
        Assert.All((string[])["learning", "stabilising", "stable"], state => Assert.Equal(counted.GetValueOrDefault(state), states.GetProperty(state).GetInt32()));
        var replay = answer.GetProperty("replay");
        Assert.True(replay.GetProperty("needed").GetInt32() > 0);
        Assert.Equal(0, replay.GetProperty("denied").GetInt32());
    }

    [Fact]
    public async Task A_policy_comes_with_evidence_readiness_review_and_text()
    {
        await using var server = await WebServer.StartAsync();
        var answer = await AskAsync(server, "policies?policy=data/db-statefulset");
        var policy = Assert.Single(answer.GetProperty("policies").EnumerateArray());
        Assert.Equal(("data/db", "data/db-statefulset"), (Text(policy, "segment"), Text(policy, "id")));
        Assert.Equal("data/db", Text(policy.GetProperty("readiness"), "segment"));
        var unseen = policy.GetProperty("readiness").GetProperty("unseen_next_hour");
        Assert.InRange(unseen.GetProperty("share").GetDouble(), unseen.GetProperty("low").GetDouble(), unseen.GetProperty("high").GetDouble());

        var detail = policy.GetProperty("detail");
        var rule = detail.GetProperty("rules").EnumerateArray().Single(one => one.GetProperty("peers").ToString().Contains("app=api", StringComparison.Ordinal));
        Assert.Equal(("ingress", 4_836L, 2), (Text(rule, "direction"), rule.GetProperty("connections").GetInt64(), rule.GetProperty("distinct_sources").GetInt32()));
        Assert.Equal(["node-a", "node-b"], rule.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()));
        Assert.Equal(["TCP 5432"], rule.GetProperty("ports").EnumerateArray().Select(port => port.GetString()));
        Assert.Contains(rule.GetProperty("edges").EnumerateArray(), edge => Text(edge, "src") == "shop/api-5d9f7-x2x4q" && edge.GetProperty("connections").GetInt64() == 4_812);
        Assert.Contains(detail.GetProperty("review").EnumerateArray(), item => Text(item, "reason") == "untrusted_direction" && Text(item, "src") == "billing-vm");
        var file = Assert.Single(detail.GetProperty("files").EnumerateArray());
        Assert.Contains("kind: \"NetworkPolicy\"", Text(file, "text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_names_leave_as_text_of_json()
    {
        await using var server = await WebServer.StartAsync();
        var text = await server.GetAsync("/api/v1/policies?detail=full");
        Assert.DoesNotContain('<', text);
        using var read = JsonDocument.Parse(text);
        var names = read.RootElement.GetProperty("policies").EnumerateArray().SelectMany(policy => policy.GetProperty("detail").GetProperty("rules").EnumerateArray())
            .SelectMany(rule => rule.GetProperty("edges").EnumerateArray()).Select(edge => Text(edge, "dst"));
        Assert.Contains(ShopFleet.HostileName, names);
    }

    [Fact]
    public async Task Pages_hold_everything_once_in_the_order_asked()
    {
        await using var server = await WebServer.StartAsync();
        foreach (var sort in (string[])["readiness", "risk", "connections", "name"])
        {
            var whole = (await AskAsync(server, $"policies?sort={sort}")).GetProperty("policies").EnumerateArray().Select(policy => Text(policy, "id")).ToList();
            List<string> paged = [];
            for (var offset = 0; offset < whole.Count; offset += 2)
            {
                var page = await AskAsync(server, $"policies?sort={sort}&limit=2&offset={offset}");
                Assert.Equal(whole.Count, page.GetProperty("total").GetInt32());
                paged.AddRange(page.GetProperty("policies").EnumerateArray().Select(policy => Text(policy, "id")));
            }

            Assert.Equal(whole, paged);
        }

        var byConnections = (await AskAsync(server, "policies?sort=connections")).GetProperty("policies").EnumerateArray().Select(policy => policy.GetProperty("connections").GetInt64()).ToList();
        Assert.Equal(byConnections.OrderDescending(), byConnections);
        var found = (await AskAsync(server, "policies?q=DATA+db")).GetProperty("policies").EnumerateArray().Select(policy => Text(policy, "id"));
        Assert.Equal(["data/db-statefulset"], found);
    }

    [Theory]
    [InlineData("kubernetes", "networking.k8s.io/v1")]
    [InlineData("cilium", "cilium.io/v2")]
    [InlineData("calico", "kind: \"NetworkPolicy\"")]
    [InlineData("calico-staged", "kind: \"StagedNetworkPolicy\"")]
    [InlineData("cluster-policy", "policy.networking.k8s.io/v1alpha2")]
    [InlineData("json", "\"policies\"")]
    [InlineData("nftables", "table inet")]
    public async Task Every_target_is_written(string target, string says)
    {
        await using var server = await WebServer.StartAsync();
        var answer = await AskAsync(server, $"policies?detail=full&target={target}&level={(target == "nftables" ? "host" : "workload")}");
        Assert.Equal(target, Text(answer, "target"));
        var files = answer.GetProperty("policies").EnumerateArray().SelectMany(policy => policy.GetProperty("detail").GetProperty("files").EnumerateArray()).ToList();
        var losses = answer.GetProperty("losses");
        if (target == "cluster-policy")
        {
            // It can say nothing of one namespace's own policies, and that is told.
            Assert.True(losses.GetProperty("total").GetInt32() > 0 && !losses.GetProperty("exact").GetBoolean());
            Assert.Empty(files);
            return;
        }

        Assert.Contains(files, file => Text(file, "text").Contains(says, StringComparison.Ordinal));
        Assert.Equal(target == "nftables", answer.GetProperty("replay").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public async Task Review_is_counted_by_reason_and_found_by_words()
    {
        await using var server = await WebServer.StartAsync();
        var all = await AskAsync(server, "policies/review");
        var reasons = all.GetProperty("reasons").EnumerateArray().ToDictionary(one => Text(one, "reason"), one => one.GetProperty("count").GetInt32());
        Assert.Equal(all.GetProperty("total").GetInt32(), reasons.Values.Sum());
        foreach (var (reason, count) in reasons)
        {
            var some = await AskAsync(server, $"policies/review?reason={reason}&limit=1");
            Assert.Equal(count, some.GetProperty("total").GetInt32());
            Assert.Equal(reason, Text(Assert.Single(some.GetProperty("items").EnumerateArray()), "reason"));
            Assert.Equal(reasons.Count, some.GetProperty("reasons").GetArrayLength());
        }

        Assert.Contains("scanner", reasons.Keys);
        var scanner = Assert.Single((await AskAsync(server, "policies/review?q=DEBUG-shell&reason=scanner")).GetProperty("items").EnumerateArray());
        Assert.Equal("dev/debug-shell", Text(scanner, "src"));
    }

    [Fact]
    public async Task A_plan_has_its_steps_in_order_and_in_pages()
    {
        await using var server = await WebServer.StartAsync();
        var steps = (await AskAsync(server, "policies/plan")).GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(1, steps.Count), steps.Select(step => step.GetProperty("number").GetInt32()));
        Assert.All(steps, step => Assert.Equal(0, step.GetProperty("denied").GetInt64()));
        var second = await AskAsync(server, "policies/plan?offset=1&limit=1");
        Assert.Equal((steps.Count, 2), (second.GetProperty("total").GetInt32(), second.GetProperty("steps")[0].GetProperty("number").GetInt32()));
    }

    [Fact]
    public async Task An_archive_is_what_the_verb_writes_and_the_same_twice()
    {
        await using var server = await WebServer.StartAsync();
        using var answer = await server.SendAsync(HttpMethod.Get, "/api/v1/policies/archive?segment=data");
        Assert.Equal("policies-kubernetes.zip", answer.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
        var bytes = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        using var archive = new ZipArchive(new MemoryStream(bytes));
        Assert.Superset(
            new HashSet<string> { "policies/data.db-statefulset.yaml", "policies/evidence.json", "policies/readiness.json", "policies/review.json", "policies/flows-suggestion.json" },
            archive.Entries.Select(entry => entry.FullName).ToHashSet());
        Assert.DoesNotContain(archive.Entries, entry => entry.FullName.StartsWith("policies/shop.", StringComparison.Ordinal));
        using var again = await server.SendAsync(HttpMethod.Get, "/api/v1/policies/archive?segment=data");
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_archive_that_would_not_fit_in_memory_is_refused_and_the_way_out_is_named()
    {
        var parts = ShopFleet.Parts();
        await using var server = await WebServer.StartAsync(parts with
        {
            Policies = (question, fresh) =>
            {
                var shop = parts.Policies!(question, fresh);
                return new SuggestedPolicies
                {
                    Cluster = shop.Cluster,
                    DerivedUs = shop.DerivedUs,
                    Suggestion = shop.Suggestion,
                    Losses = shop.Losses,
                    Replay = shop.Replay,
                    TextOf = shop.TextOf,
                    Plan = shop.Plan,

                    // Noise, which no zip makes smaller.
                    Files = () => [new SuggestedFile("evidence.json", to => to.Write(RandomNumberGenerator.GetBytes(33 << 20)))],
                };
            },
        });
        await server.RefusesAsync("/api/v1/policies/archive", 400, "flows policy suggest --out DIR");
    }

    [Theory]
    [InlineData("policies?level=galaxy", 400, "workload, namespace, pod, service, host, boundary, auto")]
    [InlineData("policies?target=iptables", 400, "cilium")]
    [InlineData("policies?segment=Shop!", 400, "NAMESPACE/WORKLOAD")]
    [InlineData("policies?cluster=other", 400, "no pod of the cluster 'other'")]
    [InlineData("policies?since=yesterday", 400, "is not a time")]
    [InlineData("policies?since=1h&until=2h", 400, "not before")]
    [InlineData("policies?sort=luck", 400, "readiness, risk")]
    [InlineData("policies?state=fine", 400, "stabilising")]
    [InlineData("policies?offset=-1", 400, "offset")]
    [InlineData("policies?limit=0", 400, "limit")]
    [InlineData("policies?policy=shop/nobody", 404, "shop/nobody")]
    [InlineData("policies/review?reason=mood", 400, "scanner")]
    [InlineData("policies/plan?level=galaxy", 400, "workload")]
    [InlineData("policies/archive?target=iptables", 400, "cilium")]
    public async Task A_wrong_question_gets_one_sentence(string path, int status, string says)
    {
        await using var server = await WebServer.StartAsync();
        await server.RefusesAsync($"/api/v1/{path}", status, says);
    }

    [Fact]
    public async Task While_policies_are_derived_others_are_answered_and_too_many_are_sent_away()
    {
        using var deriving = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        var parts = ShopFleet.Parts();
        await using var server = await WebServer.StartAsync(parts with
        {
            Policies = (question, fresh) =>
            {
                deriving.Release();
                go.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
                return parts.Policies(question, fresh);
            },
        });
        var waiting = Enumerable.Range(0, 1 + new WebOptions { Listen = [] }.PolicyQuestionsWaitingMax).Select(_ => server.SendAsync(HttpMethod.Get, "/api/v1/policies")).ToList();
        Assert.True(await deriving.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        using var map = await server.SendAsync(HttpMethod.Get, "/api/v1/map");
        Assert.Equal(HttpStatusCode.OK, map.StatusCode);

        // Until all are inside, one more may still find a place; then it is sent away at once.
        HttpStatusCode status;
        do
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                using var more = await server.Client.GetAsync(new Uri(server.Url, "/api/v1/policies"), patience.Token);
                status = more.StatusCode;
            }
            catch (OperationCanceledException)
            {
                status = HttpStatusCode.OK;
            }
        }
        while (status == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        go.Set();
        Assert.All(await Task.WhenAll(waiting), answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable));
    }

    private static string TextOf(SuggestedFile file)
    {
        using var memory = new MemoryStream();
        file.WriteTo(memory);
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    [Fact]
    public void A_policy_alone_is_written_as_it_is_among_all()
    {
        foreach (var target in SuggestTarget.All.Where(target => target.Name is not ("json" or "nftables")))
        {
            var found = ShopFleet.Parts().Policies(new PolicyQuestion(null, null, SegmentLevel.Workload, target, null, null), false);
            var whole = found.Files().ToDictionary(file => file.Name, TextOf);
            var alone = found.Suggestion.Set.Policies.SelectMany(policy => found.TextOf(policy)).ToList();
            Assert.All(alone, file => Assert.Equal(whole[file.Name], file.Text));
            Assert.Equal(whole.Keys.Where(name => name.EndsWith(".yaml", StringComparison.Ordinal)).Order(), alone.Select(file => file.Name).Distinct().Order());
        }
    }

    private static async Task<JsonElement> AskAsync(WebServer server, string path)
    {
        using var answer = await server.SendAsync(HttpMethod.Get, $"/api/v1/{path}");
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        using var read = JsonDocument.Parse(text);
        return read.RootElement.Clone();
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;
}
